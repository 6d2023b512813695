export interface City {
  readonly name: string;
  /** Of its airport, in degrees. */
  readonly latitude: number;
  readonly longitude: number;
  readonly timeZone: string;
}

export const cities: readonly City[] = [
  { name: 'Zurich', latitude: 47.46, longitude: 8.55, timeZone: 'Europe/Zurich' },
  { name: 'Copenhagen', latitude: 55.62, longitude: 12.65, timeZone: 'Europe/Copenhagen' },
  { name: 'Frankfurt', latitude: 50.03, longitude: 8.57, timeZone: 'Europe/Berlin' },
  { name: 'New York', latitude: 40.64, longitude: -73.78, timeZone: 'America/New_York' },
  { name: 'Chicago', latitude: 41.98, longitude: -87.9, timeZone: 'America/Chicago' },
  { name: 'Seattle', latitude: 47.45, longitude: -122.31, timeZone: 'America/Los_Angeles' },
];

/** @throws Error that names the cities there are. */
export function cityNamed(name: string): City {
  const city = cities.find((each) => each.name.toLowerCase() === name.trim().toLowerCase());
  if (city !== undefined) return city;
  throw new Error(`${name} is not served. Cities: ${cities.map((each) => each.name).join(', ')}.`);
}

/** Along the great circle. */
export function kilometresBetween(from: City, to: City): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const [a, b] = [radians(from.latitude), radians(to.latitude)];
  const east = radians(to.longitude - from.longitude);
  const half = Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(east / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.sqrt(half));
}
