import { expect, test } from 'vitest';
import type { Tool } from '@agent-functions/core';
import { Agent, Runner } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';
import { checkBudget } from './check-budget.ts';
import { searchFlights } from './search-flights.ts';
import { searchHotels } from './search-hotels.ts';

/** What a model reads of a call, with the tool's own checks. */
async function use(tool: Tool, input: Record<string, unknown>): Promise<unknown> {
  const model = scriptedModel([{ calls: [[tool.name, input]] }, 'Done.']);
  const { toolResults } = await new Runner(new Agent({ name: 'user', model, tools: [tool] })).run(
    'Go.',
  );
  return toolResults[0]?.result;
}

test('flights of that weekday, the cheapest first, for all travellers', async () => {
  const monday = { from: 'zurich', to: 'Copenhagen', date: '2027-07-12', travellers: 2 };
  expect(await use(searchFlights, monday)).toMatchObject({
    flights: [
      { flight: 'AW 414', priceEur: 192, departs: '2027-07-12 17:45', arrives: '2027-07-12 19:30' },
      { flight: 'NL 202', priceEur: 236 },
    ],
  });
  const sunday = { ...monday, date: '2027-07-11' };
  expect(await use(searchFlights, sunday)).toMatchObject({
    flights: [{ flight: 'NL 202', priceEur: 284 }],
  });
});

test('times are local: to the west a flight is short, home it arrives the next day', async () => {
  const date = '2027-07-14';
  expect(
    await use(searchFlights, { from: 'Zurich', to: 'New York', date, travellers: 1 }),
  ).toMatchObject({
    flights: [{ departs: `${date} 10:00`, durationMinutes: 485, arrives: `${date} 12:05` }],
  });
  expect(
    await use(searchFlights, { from: 'New York', to: 'Zurich', date, travellers: 1 }),
  ).toMatchObject({ flights: [{ durationMinutes: 485, arrives: '2027-07-15 08:35' }] });
});

test('a day without a flight, and a city that is not served, are errors that say so', async () => {
  const trip = { from: 'Zurich', to: 'Chicago', date: '2027-07-13', travellers: 1 };
  expect(await use(searchFlights, trip)).toContain(
    'No flight from Zurich to Chicago on 2027-07-13',
  );
  expect(await use(searchFlights, { ...trip, to: 'Atlantis' })).toContain('Cities: Zurich');
});

test('a stay is the sum of its nights, weekends cost more, two share a room', async () => {
  const stay = { city: 'Copenhagen', checkIn: '2027-07-08', checkOut: '2027-07-10', travellers: 3 };
  expect(await use(searchHotels, stay)).toMatchObject({
    nights: 2,
    rooms: 2,
    // 92 on Thursday, 92 * 1.15 on Friday, two rooms.
    hotels: [{ name: 'Vesterbro Rooms', priceEur: 396 }, {}, {}],
  });
  expect(await use(searchHotels, { ...stay, checkOut: '2027-07-08' })).toContain('0 nights');
});

test('a budget is added up and compared', async () => {
  const costs = [
    { what: 'Flights', priceEur: 428 },
    { what: 'Hotel', priceEur: 304 },
  ];
  const trip = { costs, days: 4, travellers: 2 };
  expect(await use(checkBudget, { ...trip, budgetEur: 900 })).toEqual({
    totalEur: 732,
    leftEur: 168,
    fits: true,
    dailyEurEach: 21,
  });
  expect(await use(checkBudget, { ...trip, budgetEur: 700 })).toMatchObject({
    leftEur: -32,
    fits: false,
    dailyEurEach: 0,
  });
});
