/** The weather as it was observed: the servers of this example have no other, so that they run without a network. */
const observations: Readonly<
  Record<string, { readonly temperatureC: number; readonly sky: string; readonly windKmh: number }>
> = {
  bern: { temperatureC: 4, sky: 'light rain', windKmh: 11 },
  oslo: { temperatureC: -6, sky: 'clear sky', windKmh: 7 },
  seattle: { temperatureC: 9, sky: 'overcast', windKmh: 18 },
};

/** @throws Error for a city without a station. */
export function observe(city: string): {
  readonly city: string;
  readonly temperatureC: number;
  readonly sky: string;
  readonly windKmh: number;
} {
  const found = observations[city.toLowerCase()];
  if (found === undefined) {
    throw new Error(`There is no station in ${city}. Stations: Bern, Oslo, Seattle.`);
  }
  return { city, ...found };
}
