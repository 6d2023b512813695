import { UserError } from './errors.ts';
import type { RunLimits } from './events.ts';

// NaN and infinities have no JSON form, so a run that is taken up elsewhere would have another limit.

/** @throws UserError for what is no whole number from `least`; `undefined` passes. */
export function checkCount(what: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  throw new UserError(`${what} is ${value}; it must be a whole number from ${least}.`);
}

/** @throws UserError for limits that cannot be meant. */
export function checkLimits(limits: RunLimits | undefined): void {
  for (const [name, limit] of Object.entries(limits ?? {})) {
    if (limit !== undefined && !(Number.isFinite(limit) && limit >= 0)) {
      throw new UserError(
        `limits.${name} is ${limit}; it must be a number from 0. Leave it out for no limit.`,
      );
    }
  }
}
