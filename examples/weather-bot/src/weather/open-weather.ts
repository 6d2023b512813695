import { z } from 'zod';
import { fetchJson, type WeatherSource } from './weather.ts';

const answer = z.union([
  z.object({
    name: z.string(),
    sys: z.object({ country: z.string().default('') }),
    main: z.object({ temp: z.number(), humidity: z.number() }),
    wind: z.object({ speed: z.number() }),
    weather: z.array(z.object({ description: z.string() })).min(1),
    dt: z.number(),
  }),
  z.object({ cod: z.union([z.literal('404'), z.literal(404)]) }),
]);

/** OpenWeather (openweathermap.org), for those who have a key. */
export function openWeather(
  apiKey: string,
  url = 'https://api.openweathermap.org/data/2.5/weather',
): WeatherSource {
  return async (city, signal) => {
    const query = new URL(url);
    query.searchParams.set('q', city);
    query.searchParams.set('units', 'metric');
    query.searchParams.set('appid', apiKey);
    const found = answer.parse(await fetchJson('OpenWeather', query, signal));
    if ('cod' in found) throw new Error(`OpenWeather knows no city named ${city}.`);
    return {
      city: found.name,
      country: found.sys.country,
      temperatureC: found.main.temp,
      humidityPercent: Math.round(found.main.humidity),
      windKmh: Math.round(found.wind.speed * 3.6),
      conditions: found.weather.map((each) => each.description).join(', '),
      observedAt: new Date(found.dt * 1_000).toISOString(),
      source: 'OpenWeather',
    };
  };
}
