import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the adapter needs to know of `host.json`. */
export interface HostJson {
  /** `extensions.http.routePrefix`; `api` where it is not set. */
  readonly routePrefix: string;
  /** `functionTimeout`; nothing where it is not set, or `-1`. */
  readonly functionTimeoutMs: number | undefined;
  /** `extensions.queues`: what of it is set. */
  readonly queues: {
    readonly maxPollingIntervalMs: number | undefined;
    readonly maxDequeueCount: number | undefined;
  };
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
  const maxDequeueCount = at(parsed, 'extensions', 'queues', 'maxDequeueCount');
  return {
    routePrefix: typeof routePrefix === 'string' ? routePrefix : 'api',
    functionTimeoutMs: toMs(at(parsed, 'functionTimeout')),
    queues: {
      maxPollingIntervalMs: toMs(at(parsed, 'extensions', 'queues', 'maxPollingInterval')),
      maxDequeueCount: typeof maxDequeueCount === 'number' ? maxDequeueCount : undefined,
    },
  };
}

/** The host looks at a queue that was empty less and less often, after a while once a minute. */
const slowestPollMs = 2_000;

/**
 * What to write where a wake may come late: what is abandoned, answered or handed over would go on by it. Nothing where
 * the host looks often enough.
 */
export function slowQueue({ queues }: HostJson): string | undefined {
  const { maxPollingIntervalMs: polled } = queues;
  if (polled !== undefined && polled <= slowestPollMs) return undefined;
  const now = polled === undefined ? 'a minute' : `${polled / 1_000} s`;
  return `host.json lets the host look at a quiet queue as seldom as once in ${now}, and runs of this app's store wait for its queue when they are answered, handed over or abandoned. Write "extensions": { "queues": { "maxPollingInterval": "00:00:02", "visibilityTimeout": "00:00:30" } } in host.json: a look every two seconds, and half a minute before a wake that failed comes again.`;
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = Reflect.get(here, key);
  }
  return here;
}

/** `hh:mm:ss`, or `d.hh:mm:ss`; with a fraction of a second or without. */
function toMs(timeSpan: unknown): number | undefined {
  if (typeof timeSpan !== 'string') return undefined;
  const match = /^(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(timeSpan);
  if (match === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000;
}
