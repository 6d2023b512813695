import { describe, expect, it } from 'vitest';
import { serviceClock } from './clock.ts';

/** A machine whose clock is `ahead` of the service's, asking it every so often. */
function hears(ahead: number, times: number): number {
  let machine = 1_700_000_000_000 + ahead;
  const clock = serviceClock(() => machine);
  for (let n = 0; n < times; n++) {
    const askedAt = machine;
    machine += 7 + ((n * 131) % 23);
    const service = machine - 3 - ahead;
    machine += 5;
    clock.heard(new Date(service).toUTCString(), askedAt, machine);
    machine += 313;
  }
  return clock.now() - (machine - ahead);
}

describe("the store's clock", () => {
  it('is the machine where the service does not contradict it', () => {
    for (const ahead of [0, 2, -2]) expect(hears(ahead, 40)).toBe(ahead);
  });

  it('is the service, the closer the more answers came, where the machine is wrong', () => {
    for (const ahead of [90_000, -90_000, 5_000]) {
      expect(Math.abs(hears(ahead, 1))).toBeLessThan(1_050);
      expect(Math.abs(hears(ahead, 40))).toBeLessThan(150);
    }
  });

  it('follows a machine whose clock is set', () => {
    let machine = 1_700_000_000_000;
    const clock = serviceClock(() => machine);
    clock.heard(new Date(machine).toUTCString(), machine, machine + 10);
    machine += 3_600_000;
    clock.heard(new Date(machine - 3_600_000).toUTCString(), machine, machine + 10);
    expect(Math.abs(clock.now() - (machine - 3_600_000))).toBeLessThan(1_100);
  });

  it('learns nothing of an answer without a date', () => {
    const clock = serviceClock(() => 5_000);
    for (const date of [undefined, null, '', 'soon']) clock.heard(date, 4_000, 5_000);
    expect(clock.now()).toBe(5_000);
  });
});
