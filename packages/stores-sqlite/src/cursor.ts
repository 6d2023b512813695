import { UserError } from '@agent-functions/core';

/** The place in a list that a cursor of ours names. */
export function placeOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw new UserError(`'${cursor}' is no cursor of this list. Pass the cursor of the page before.`);
}

/** A page out of a query for one more than fits. */
export function toPage<T extends { readonly place: number }>(
  found: readonly T[],
  limit: number,
): { readonly items: readonly T[]; readonly cursor?: string } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return last !== undefined && found.length > limit
    ? { items, cursor: String(last.place) }
    : { items };
}
