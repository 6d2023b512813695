import { tool } from '@agent-functions/core';
import { z } from 'zod';
import { restaurants } from './restaurants.ts';

export const searchRestaurants = tool({
  name: 'search_restaurants',
  description:
    'Restaurants of a city that are open on a day, with the price of dinner for all, the cheapest first.',
  parameters: z.object({ city: z.string(), date: z.iso.date(), guests: z.int().min(1).max(9) }),
  effect: 'read',
  // An agent that could look nothing up has nothing to say: it fails, instead of making something up.
  onError: 'throw',
  execute: ({ city, date, guests }) => {
    const known = restaurants.filter((each) => each.city.toLowerCase() === city.toLowerCase());
    if (known.length === 0) throw new Error(`The restaurant guide has no page of ${city}.`);
    const weekday = new Date(`${date}T00:00Z`).getUTCDay() || 7;
    return {
      restaurants: known
        .filter(({ closed }) => !closed.includes(weekday))
        .map(({ name, kitchen, dinnerEur }) => ({ name, kitchen, priceEur: dinnerEur * guests }))
        .toSorted((one, other) => one.priceEur - other.priceEur),
    };
  },
});
