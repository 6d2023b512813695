import { openMeteo } from './open-meteo.ts';
import { openWeather } from './open-weather.ts';
import { observedCities, pastObservation } from './past-observations.ts';
import { ServiceUnreachable, type Weather, type WeatherSource } from './weather.ts';

export interface WeatherSourceOptions {
  /** Default: OpenWeather where `OPENWEATHER_API_KEY` is set, else Open-Meteo; none with `WEATHER_SOURCE=bundled`. */
  readonly live?: WeatherSource | undefined;
  /** How long the service may take. Default 2,500. */
  readonly timeoutMs?: number | undefined;
}

// A service that was not reachable is not asked again for this long, so that not every question waits for it.
const pauseMs = 60_000;

/** The live service where it is reachable, else what was once observed. */
export function weatherSource(options: WeatherSourceOptions = {}): WeatherSource {
  const { timeoutMs = 2_500 } = options;
  let pausedUntil = 0;
  return async (city, signal) => {
    const live = options.live ?? fromEnvironment();
    if (live !== undefined && performance.now() >= pausedUntil) {
      try {
        return await live(city, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ServiceUnreachable)) throw error;
        pausedUntil = performance.now() + pauseMs;
      }
    }
    return observed(city);
  };
}

function fromEnvironment(): WeatherSource | undefined {
  if (process.env['WEATHER_SOURCE'] === 'bundled') return undefined;
  const key = process.env['OPENWEATHER_API_KEY'];
  return key === undefined || key === '' ? openMeteo() : openWeather(key);
}

function observed(city: string): Weather {
  const weather = pastObservation(city);
  if (weather !== undefined) return weather;
  throw new Error(
    `No weather service is reachable, and there is no bundled observation of ${city}. There are some of: ${observedCities.join(', ')}.`,
  );
}
