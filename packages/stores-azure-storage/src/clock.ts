/** The store's clock, which processes on different machines share. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** What an answer of the service says: its `Date`, and when it was asked and answered by this machine's clock. */
  heard(date: string | null | undefined, askedAt: number, answeredAt: number): void;
}

/** A clock that is set by hand. */
export function fixedClock(now: () => number): Clock {
  return { now, heard: () => undefined };
}

/**
 * The machine's clock, corrected where the `Date` of the service's answers contradicts it. A `Date` has whole seconds: an
 * answer tells the difference between the two clocks up to a second and the time it took. What all answers tell together
 * is narrower; a machine that is within it is believed as it is, so two machines that keep time agree to the millisecond.
 */
export function serviceClock(machine: () => number = Date.now): Clock {
  /** Of service minus machine, in milliseconds. */
  let least = -Infinity;
  let most = Infinity;
  return {
    now: () => machine() + (least <= 0 && most >= 0 ? 0 : Math.round((least + most) / 2)),
    heard(date, askedAt, answeredAt) {
      const second = Date.parse(date ?? '');
      // Without a date, or with one of a machine that was set meanwhile, nothing is learnt.
      if (Number.isNaN(second) || answeredAt < askedAt) return;
      const from = second - answeredAt;
      const to = second + 1_000 - askedAt;
      const contradicts = from > most || to < least;
      least = contradicts ? from : Math.max(least, from);
      most = contradicts ? to : Math.min(most, to);
    },
  };
}
