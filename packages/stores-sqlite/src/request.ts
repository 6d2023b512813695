import type { Operations } from './operations.ts';

/** A call of the store on the worker. */
export interface Request {
  readonly id: number;
  readonly name: keyof Operations | 'close';
  readonly args: readonly unknown[];
  /** The store's clock, where a test sets one. */
  readonly now: number | undefined;
}
