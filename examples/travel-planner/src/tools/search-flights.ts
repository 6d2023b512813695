import { tool } from '@agent-functions/core';
import { z } from 'zod';
import { cityNamed, kilometresBetween } from '../travel/cities.ts';
import { instantOf, localTime } from '../travel/local-time.ts';
import { timetable, type Departure } from '../travel/timetable.ts';

export const searchFlights = tool({
  name: 'search_flights',
  description:
    'Flights between two cities on a day, the cheapest first. Times are local, prices for all travellers.',
  parameters: z.object({
    from: z.string(),
    to: z.string(),
    date: z.iso.date(),
    travellers: z.int().min(1).max(9),
  }),
  effect: 'read',
  execute: ({ from, to, date, travellers }) => {
    const [start, end] = [cityNamed(from).name, cityNamed(to).name];
    const flights = timetable
      .filter((each) => each.from === start && each.to === end && each.days.includes(weekday(date)))
      .map((each) => ({ ...times(each, date), priceEur: fare(each, date) * travellers }))
      .toSorted((one, other) => one.priceEur - other.priceEur);
    if (flights.length > 0) return { flights };
    throw new Error(`No flight from ${start} to ${end} on ${date}.`);
  },
});

/** 1 is Monday, 7 Sunday. */
export function weekday(date: string): number {
  return new Date(`${date}T00:00Z`).getUTCDay() || 7;
}

// Everybody wants to leave on Friday and to be back on Sunday.
const busy = new Set([5, 7]);

function fare({ fareEur }: Departure, date: string): number {
  return Math.round(fareEur * (busy.has(weekday(date)) ? 1.2 : 1));
}

// An airliner's speed, and what taxi, climb and approach cost on top.
const kilometresAnHour = 850;
const groundMinutes = 40;

function times({ flight, airline, from, to, departs }: Departure, date: string) {
  const [start, end] = [cityNamed(from), cityNamed(to)];
  const minutes = groundMinutes + (kilometresBetween(start, end) / kilometresAnHour) * 60;
  const durationMinutes = Math.round(minutes / 5) * 5;
  const leaves = instantOf(date, departs, start.timeZone);
  const lands = new Date(leaves.getTime() + durationMinutes * 60_000);
  return {
    flight,
    airline,
    departs: `${date} ${departs}`,
    arrives: localTime(lands, end.timeZone),
    durationMinutes,
  };
}
