import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { openMeteo } from './open-meteo.ts';
import { openWeather } from './open-weather.ts';
import { observedCities, pastObservation } from './past-observations.ts';
import { weatherSource } from './weather-source.ts';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

const signal = new AbortController().signal;

test('Open-Meteo is asked where the city is, then how it is there', async () => {
  const asked: string[] = [];
  const url = await listening((request, response) => {
    asked.push(request.url ?? '');
    const found = { name: 'Seattle', country: 'United States', latitude: 47.6, longitude: -122.3 };
    const current = {
      time: '2026-11-22T10:15',
      temperature_2m: 9.4,
      relative_humidity_2m: 81,
      weather_code: 61,
      wind_speed_10m: 12.4,
    };
    response.end(
      JSON.stringify(request.url?.startsWith('/search') ? { results: [found] } : { current }),
    );
  });
  const live = openMeteo({ geocoding: `${url}/search`, forecast: `${url}/forecast` });
  expect(await live('Seattle', signal)).toEqual({
    city: 'Seattle',
    country: 'United States',
    temperatureC: 9.4,
    humidityPercent: 81,
    windKmh: 12,
    conditions: 'rain',
    observedAt: '2026-11-22T10:15Z',
    source: 'Open-Meteo',
  });
  expect(asked[0]).toContain('name=Seattle');
  expect(asked[1]).toContain('latitude=47.6&longitude=-122.3');
});

test('a city that the service does not know is an error, not an old observation', async () => {
  const url = await listening((_, response) => response.end('{}'));
  const source = weatherSource({ live: openMeteo({ geocoding: url, forecast: url }) });
  await expect(source('Seattle', signal)).rejects.toThrow('knows no place named Seattle');
});

test('OpenWeather speaks metres a second; a refused key is not repeated', async () => {
  const url = await listening((request, response) => {
    if (request.url?.includes('appid=wrong')) return response.writeHead(401).end('{}');
    return response.end(
      JSON.stringify({
        name: 'Seattle',
        sys: { country: 'US' },
        main: { temp: 9.4, humidity: 81 },
        wind: { speed: 10 },
        weather: [{ description: 'light rain' }],
        dt: 1_795_000_000,
      }),
    );
  });
  expect(await openWeather('right', url)('Seattle', signal)).toMatchObject({
    windKmh: 36,
    conditions: 'light rain',
    source: 'OpenWeather',
  });
  await expect(openWeather('wrong', url)('Seattle', signal)).rejects.toThrow(
    'OpenWeather refused the request (401).',
  );
});

test('a service that does not answer in time is replaced by a past observation that says so', async () => {
  let asked = 0;
  const url = await listening(() => void (asked += 1));
  const source = weatherSource({
    live: openMeteo({ geocoding: url, forecast: url }),
    timeoutMs: 1_000,
  });
  expect(await source('Seattle', signal)).toMatchObject({
    city: 'Seattle',
    temperatureC: 16.1,
    humidityPercent: 64,
    source: 'bundled observation of 2019-07-01',
    observedAt: '2019-07-01T11:53Z',
  });
  expect(await source('Zürich, CH', signal)).toMatchObject({ city: 'Zurich', temperatureC: 31 });
  expect(asked, 'it is not waited for again at once').toBe(1);
});

test('a cancelled look-up is cancelled, not answered with something old', async () => {
  const url = await listening(() => undefined);
  const source = weatherSource({ live: openMeteo({ geocoding: url, forecast: url }) });
  await expect(source('Seattle', AbortSignal.timeout(30))).rejects.toThrow();
});

test('a city without any observation names those that have one', async () => {
  const url = await listening((_, response) => response.writeHead(503).end());
  const source = weatherSource({ live: openMeteo({ geocoding: url, forecast: url }) });
  await expect(source('Atlantis', signal)).rejects.toThrow('Seattle, New York');
});

test('every bundled observation is what its report says', () => {
  expect(observedCities.length).toBeGreaterThanOrEqual(12);
  for (const city of observedCities) {
    const weather = pastObservation(city);
    expect(weather?.observedAt).toMatch(/^2019-07-01T1[12]:\d\dZ$/);
    expect(weather?.humidityPercent).toBeGreaterThan(20);
    expect(weather?.humidityPercent).toBeLessThanOrEqual(100);
  }
});
