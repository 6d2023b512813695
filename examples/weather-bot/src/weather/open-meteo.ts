import { z } from 'zod';
import { fetchJson, type WeatherSource } from './weather.ts';

const places = z.object({
  results: z
    .array(
      z.object({
        name: z.string(),
        country: z.string().default(''),
        latitude: z.number(),
        longitude: z.number(),
      }),
    )
    .default([]),
});

const forecast = z.object({
  current: z.object({
    time: z.string(),
    temperature_2m: z.number(),
    relative_humidity_2m: z.number(),
    weather_code: z.number(),
    wind_speed_10m: z.number(),
  }),
});

/** Open-Meteo (open-meteo.com): free, without a key. Two requests: where the city is, and how it is there. */
export function openMeteo(
  urls = {
    geocoding: 'https://geocoding-api.open-meteo.com/v1/search',
    forecast: 'https://api.open-meteo.com/v1/forecast',
  },
): WeatherSource {
  return async (city, signal) => {
    const search = withQuery(urls.geocoding, { name: city, count: '1', language: 'en' });
    const [place] = places.parse(await fetchJson('Open-Meteo', search, signal)).results;
    if (place === undefined) throw new Error(`Open-Meteo knows no place named ${city}.`);
    const url = withQuery(urls.forecast, {
      latitude: String(place.latitude),
      longitude: String(place.longitude),
      current: 'temperature_2m,relative_humidity_2m,weather_code,wind_speed_10m',
    });
    const { current } = forecast.parse(await fetchJson('Open-Meteo', url, signal));
    return {
      city: place.name,
      country: place.country,
      temperatureC: current.temperature_2m,
      humidityPercent: Math.round(current.relative_humidity_2m),
      windKmh: Math.round(current.wind_speed_10m),
      conditions: inWords(current.weather_code),
      observedAt: `${current.time}Z`,
      source: 'Open-Meteo',
    };
  };
}

function withQuery(base: string, query: Readonly<Record<string, string>>): URL {
  const url = new URL(base);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** The WMO's weather codes (code table 4677, as Open-Meteo groups them). */
function inWords(code: number): string {
  if (code === 0) return 'clear sky';
  if (code <= 2) return 'partly cloudy';
  if (code === 3) return 'overcast';
  if (code <= 48) return 'fog';
  if (code <= 57) return 'drizzle';
  if (code <= 67) return 'rain';
  if (code <= 77) return 'snow';
  if (code <= 82) return 'rain showers';
  if (code <= 86) return 'snow showers';
  return 'thunderstorm';
}
