// What the two threads say to each other.

export interface WorkerData {
  readonly path: string;
  readonly synchronous: 'full' | 'normal';
}

/** JSON text, or what was handed over before in slices. */
export type Text = string | { readonly staged: number };

/** One slice of a text that is too long for one message. */
export interface Slice {
  readonly staged: number;
  readonly text: string;
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failed: Failed };

/** An error without its class, which does not survive the way between threads. */
export interface Failed {
  readonly kind:
    | 'seq'
    | 'lease'
    | 'not-found'
    | 'mismatch'
    | 'session-conflict'
    | 'full'
    | 'locked'
    | 'unusable'
    | 'internal';
  readonly message: string;
  readonly runId?: string | undefined;
}
