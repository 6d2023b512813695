/** What is known of the weather of a place at one moment. */
export interface Weather {
  readonly city: string;
  readonly country: string;
  readonly temperatureC: number;
  readonly humidityPercent: number;
  readonly windKmh: number;
  /** In words: `overcast`, `light rain`. */
  readonly conditions: string;
  /** ISO 8601. */
  readonly observedAt: string;
  /** Who says so: a service, or that this is an old report. */
  readonly source: string;
}

/** Answers for the name of a city. Throws `ServiceUnreachable`, or an error that the model can read. */
export type WeatherSource = (city: string, signal: AbortSignal) => Promise<Weather>;

/** The service did not answer, which says nothing about the city. */
export class ServiceUnreachable extends Error {
  override readonly name = 'ServiceUnreachable';
}

/** Fetches JSON from a weather service; whatever keeps it from answering is a `ServiceUnreachable`. */
export async function fetchJson(service: string, url: URL, signal: AbortSignal): Promise<unknown> {
  let response;
  try {
    response = await fetch(url, { signal });
  } catch (cause) {
    throw new ServiceUnreachable(`${service} cannot be reached.`, { cause });
  }
  if (response.status >= 500) {
    throw new ServiceUnreachable(`${service} answered ${response.status}.`);
  }
  if (!response.ok && response.status !== 404) {
    // The URL may hold a key: it is not repeated.
    throw new Error(`${service} refused the request (${response.status}).`);
  }
  try {
    return await response.json();
  } catch (cause) {
    throw new ServiceUnreachable(`${service} answered with something else than JSON.`, { cause });
  }
}
