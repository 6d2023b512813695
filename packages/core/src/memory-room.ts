import { UserError } from './errors.ts';

/** The bytes that runs and sessions share. */
export interface MemoryRoom {
  /** Makes room for so many more bytes by dropping what may be forgotten; false when that is not enough. */
  reserve(bytes: number): boolean;
  /** Gives back, or (negative) takes without asking. */
  free(bytes: number): void;
  /** Registers what may be dropped: `drop` forgets its oldest, and says whether there was one. */
  droppable(drop: () => boolean): void;
  readonly maxBytes: number;
}

export function memoryRoom(maxBytes: number): MemoryRoom {
  let used = 0;
  const drops: (() => boolean)[] = [];
  return {
    maxBytes,
    reserve(bytes) {
      const fits = (): boolean => used + bytes <= maxBytes;
      for (const drop of drops) while (!fits() && drop());
      if (!fits()) return false;
      used += bytes;
      return true;
    },
    free(bytes) {
      used -= bytes;
    },
    droppable(drop) {
      drops.push(drop);
    },
  };
}

/** About how many bytes a JSON value takes: one walk over its fields, no text is made. */
export function estimateBytes(value: unknown): number {
  if (typeof value === 'string') return 16 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 32;
  if (Array.isArray(value)) for (const item of value) bytes += estimateBytes(item);
  else for (const field of Object.values(value)) bytes += 16 + estimateBytes(field);
  return bytes;
}

/** The place in a list that a cursor of ours names. */
export function placeOf(cursor: string | undefined): number {
  if (cursor === undefined) return Infinity;
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new UserError(`'${cursor}' is no cursor of this list. Pass the cursor of the page before.`);
}
