import { tool } from '@agent-functions/core';
import { z } from 'zod';
import { cityNamed } from '../travel/cities.ts';
import { hotels } from '../travel/hotels.ts';
import { weekday } from './search-flights.ts';

export const searchHotels = tool({
  name: 'search_hotels',
  description:
    'Hotels of a city with the price of the whole stay, the cheapest first. Two people share a room.',
  parameters: z.object({
    city: z.string(),
    checkIn: z.iso.date(),
    checkOut: z.iso.date(),
    travellers: z.int().min(1).max(9),
  }),
  effect: 'read',
  execute: ({ city, checkIn, checkOut, travellers }) => {
    const { name } = cityNamed(city);
    const nights = nightsBetween(checkIn, checkOut);
    const rooms = Math.ceil(travellers / 2);
    return {
      nights: nights.length,
      rooms,
      hotels: hotels
        .filter((hotel) => hotel.city === name)
        .map(({ name, rating, nightEur }) => {
          const stay = nights.reduce((sum, night) => sum + nightEur * rate(night), 0);
          return { name, rating, priceEur: Math.round(stay) * rooms };
        })
        .toSorted((one, other) => one.priceEur - other.priceEur),
    };
  },
});

/** The dates on which the nights begin. */
function nightsBetween(checkIn: string, checkOut: string): readonly string[] {
  const days = (Date.parse(checkOut) - Date.parse(checkIn)) / 86_400_000;
  if (!(days >= 1 && days <= 30)) {
    throw new Error(`From ${checkIn} to ${checkOut} are ${days} nights; 1 to 30 can be booked.`);
  }
  return Array.from({ length: days }, (_, day) =>
    new Date(Date.parse(checkIn) + day * 86_400_000).toISOString().slice(0, 10),
  );
}

/** The nights to Saturday and to Sunday cost more. */
function rate(night: string): number {
  return weekday(night) === 5 || weekday(night) === 6 ? 1.15 : 1;
}
