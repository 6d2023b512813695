import type { StopReason } from './events.ts';

/** A limit ends the run `stopped`: thrown inside a step, never to a caller. */
export class LimitReached extends Error {
  override readonly name = 'LimitReached';
  readonly stopReason: StopReason;

  constructor(stopReason: StopReason) {
    super(`The run reached its limit (${stopReason}).`);
    this.stopReason = stopReason;
  }
}
