import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the adapter needs to know of `host.json`. */
export interface HostJson {
  /** `extensions.http.routePrefix`; `api` where it is not set. */
  readonly routePrefix: string;
  /** `functionTimeout`; nothing where it is not set, or `-1`. */
  readonly functionTimeoutMs: number | undefined;
}

/** Reads the app's `host.json`; nothing where there is none. */
export async function readHostJson(folder: string): Promise<HostJson | undefined> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(join(folder, 'host.json'), 'utf8'));
  } catch {
    return undefined;
  }
  const routePrefix = at(parsed, 'extensions', 'http', 'routePrefix');
  const functionTimeout = at(parsed, 'functionTimeout');
  return {
    routePrefix: typeof routePrefix === 'string' ? routePrefix : 'api',
    functionTimeoutMs: typeof functionTimeout === 'string' ? toMs(functionTimeout) : undefined,
  };
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = Reflect.get(here, key);
  }
  return here;
}

/** `hh:mm:ss`, or `d.hh:mm:ss`. */
function toMs(timeSpan: string): number | undefined {
  const match = /^(?:(\d+)\.)?(\d+):(\d+):(\d+)$/.exec(timeSpan);
  if (match === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000;
}
