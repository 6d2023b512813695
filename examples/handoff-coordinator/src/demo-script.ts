import { call, readObject, type Script, type ToolExchange } from 'demo-model';
import { requestsIn, tripIn, type Trip } from 'travel-planner/reading';
import { adviceFor, citiesIn, inWords, readWeather } from 'weather-bot/reading';
import { z } from 'zod';
import { conversation } from './conversation.ts';

// What the models of the offline demo say; the flight and the hotel agent bring what theirs say with them.

export const coordinatorScript: Script = (seen) => {
  const trip = tripIn(requestsIn(seen));
  if (trip === undefined) return { text: unknownQuestion };
  if (seen.results.length === 0) {
    return {
      calls: Object.entries(requests(trip)).map(([agent, message]) => ({
        tool: `handoff_to_${agent}`,
        input: { message, reason: `the trip to ${trip.to}` },
      })),
    };
  }
  const { from, to, start, end, travellers } = trip;
  return {
    text: [
      `${from} to ${to}, ${start} to ${end}, ${travellers} travelling:`,
      ...seen.results.map(lineOfPlan),
    ].join('\n'),
  };
};

/** What each specialist has to know. */
function requests({ from, to, start, end, travellers }: Trip): Readonly<Record<string, string>> {
  const days = `${start} to ${end}`;
  return {
    flight_agent: `Flights from ${from} to ${to} for ${travellers} people, ${days}`,
    hotel_agent: `A hotel for a trip from ${from} to ${to}, ${travellers} people, ${days}`,
    weather_agent: `What is the weather in ${to}?`,
    restaurant_agent: `Dinner in ${to} for ${travellers} people on ${start}`,
  };
}

/** What a specialist found, or that it failed: nothing is made up for it. */
function lineOfPlan({ output }: ToolExchange): string {
  return /^(?:Flights|Hotel|Weather|Dinner): /.test(output) ? output : `Missing: ${output}`;
}

export const weatherScript: Script = ({ question, results }) => {
  const [looked, advised] = results;
  if (looked === undefined) return call('get_current_weather', { city: citiesIn(question)[0] });
  const weather = readWeather(looked.output);
  if (weather === undefined) return { text: inWords(looked) };
  if (advised === undefined) return call('get_weather_advice', adviceFor(weather));
  return { text: `Weather: ${inWords(looked)} ${inWords(advised)}` };
};

const found = z.object({
  restaurants: z.array(z.object({ name: z.string(), kitchen: z.string(), priceEur: z.number() })),
});

export const restaurantScript: Script = ({ question, results }) => {
  const [searched] = results;
  if (searched === undefined) {
    const [, city, guests, date] = /Dinner in (.+) for (\d+) people on (\S+)/.exec(question) ?? [];
    return call('search_restaurants', { city, guests: Number(guests), date });
  }
  const [first] = found.safeParse(readObject(searched.output)).data?.restaurants ?? [];
  return first === undefined
    ? { text: 'Dinner: nothing is open that day.' }
    : { text: `Dinner: ${first.name} (${first.kitchen}), ${first.priceEur} EUR.` };
};

const unknownQuestion = [
  'This is the offline demo: no model is connected, so only such questions are answered:',
  ...conversation.map((question) => `"${question}"`),
  'To connect a model, set OPENAI_API_KEY (or AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT_NAME), or start Ollama, and start again.',
].join(' ');
