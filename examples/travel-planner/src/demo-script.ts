import { call, readObject, type Script, type ToolExchange } from 'demo-model';
import { z } from 'zod';
import { conversation } from './conversation.ts';
import { euros, eurosAtEnd, lineOf, requestsIn, tripIn } from './reading.ts';

// What the models of the offline demo say, from what the tools answered.

const foundFlights = z.object({
  flights: z.array(
    z.object({
      flight: z.string(),
      airline: z.string(),
      departs: z.string(),
      arrives: z.string(),
      priceEur: z.number(),
    }),
  ),
});

export const flightScript: Script = (seen) => {
  const trip = tripIn(requestsIn(seen));
  if (trip === undefined) return { text: unknownQuestion };
  const { from, to, start, end, travellers } = trip;
  if (seen.results.length === 0) {
    return {
      calls: [
        { tool: 'search_flights', input: { from, to, date: start, travellers } },
        { tool: 'search_flights', input: { from: to, to: from, date: end, travellers } },
      ],
    };
  }
  const [out, back] = seen.results.map((each) => cheapest(each));
  if (out === undefined || back === undefined) return { text: failed(seen.results) };
  const inWords = ({ airline, flight, departs, arrives }: typeof out): string =>
    `${airline} ${flight}, ${departs} to ${arrives}`;
  return {
    text: `Flights: ${inWords(out)}; back with ${inWords(back)}; for ${travellers}: ${euros(out.priceEur + back.priceEur)}.`,
  };
};

function cheapest({ output }: ToolExchange) {
  return foundFlights.safeParse(readObject(output)).data?.flights[0];
}

const foundHotels = z.object({
  nights: z.number(),
  hotels: z.array(z.object({ name: z.string(), rating: z.number(), priceEur: z.number() })),
});

export const hotelScript: Script = (seen) => {
  const trip = tripIn(requestsIn(seen));
  if (trip === undefined) return { text: unknownQuestion };
  const { to, start, end, travellers, budgetEur } = trip;
  const [searched] = seen.results;
  if (searched === undefined) {
    return call('search_hotels', { city: to, checkIn: start, checkOut: end, travellers });
  }
  const found = foundHotels.safeParse(readObject(searched.output)).data;
  const left = (budgetEur ?? Infinity) - (eurosAtEnd(lineOf(seen, 'Flights:')) ?? 0);
  // The best that can be paid, else the cheapest.
  const hotel =
    found?.hotels
      .filter(({ priceEur }) => priceEur <= left)
      .toSorted((one, other) => other.rating - one.rating)[0] ?? found?.hotels[0];
  if (found === undefined || hotel === undefined) return { text: failed(seen.results) };
  return {
    text: `Hotel: ${hotel.name} (${hotel.rating} of 5), ${found.nights} nights: ${euros(hotel.priceEur)}.`,
  };
};

const sum = z.object({
  totalEur: z.number(),
  leftEur: z.number(),
  fits: z.boolean(),
  dailyEurEach: z.number(),
});

export const budgetScript: Script = (seen) => {
  const trip = tripIn(requestsIn(seen));
  if (trip?.budgetEur === undefined) return { text: unknownQuestion };
  const { from, to, start, end, travellers, budgetEur } = trip;
  const lines = ['Flights:', 'Hotel:'].flatMap((start) => lineOf(seen, start) ?? []);
  const [added] = seen.results;
  if (added === undefined) {
    const costs = lines.flatMap((line) => {
      const priceEur = eurosAtEnd(line);
      return priceEur === undefined ? [] : [{ what: line.split(':')[0], priceEur }];
    });
    const days = (Date.parse(end) - Date.parse(start)) / 86_400_000 + 1;
    return call('check_budget', { budgetEur, costs, days, travellers });
  }
  const result = sum.safeParse(readObject(added.output)).data;
  if (result === undefined) return { text: failed(seen.results) };
  const { totalEur, leftEur, fits, dailyEurEach } = result;
  const verdict = fits
    ? `${euros(leftEur)} are left, ${euros(dailyEurEach)} a day for each of you.`
    : `That is ${euros(-leftEur)} too much.`;
  return {
    text: [
      `${from} to ${to}, ${start} to ${end}, ${travellers} travelling:`,
      ...lines,
      `Total: ${euros(totalEur)} of ${euros(budgetEur)}. ${verdict}`,
    ].join('\n'),
  };
};

function failed(results: readonly ToolExchange[]): string {
  return `Nothing was found: ${results.map((each) => each.output).join(' ')}`;
}

const unknownQuestion = [
  'This is the offline demo: no model is connected, so only such questions are answered:',
  ...conversation.map((question) => `"${question}"`),
  'To connect a model, set OPENAI_API_KEY (or AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT_NAME), or start Ollama, and start again.',
].join(' ');
