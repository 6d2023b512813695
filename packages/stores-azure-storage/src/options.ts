import { UserError } from '@agent-functions/core';
import { checkConnection, type ConnectionOptions } from './settings.ts';

export interface AzureStorageStoreOptions extends ConnectionOptions {
  /**
   * What the tables `<prefix>runs`, `<prefix>sessions`, `<prefix>index`, the container `<prefix>-values` and the queue
   * `<prefix>-wake` are named after: 3 to 50 small letters and digits. Default `agentfunctions`.
   */
  readonly prefix?: string | undefined;
  /**
   * The queue whose messages wake runs; `false`: none, a sweep finds them. Default: `<prefix>-wake` inside a Functions host
   * (`FUNCTIONS_WORKER_RUNTIME` is set), which reads it, and none elsewhere.
   */
  readonly wakeQueue?: string | false | undefined;
  /** How long a run is kept after its end, in milliseconds. Default 7 days. */
  readonly keepRunsMs?: number | undefined;
  /** How long a session is kept after its last use, in milliseconds. Default 30 days. */
  readonly keepSessionsMs?: number | undefined;
  /**
   * The store's clock, in milliseconds since 1970. Default: the machine's, corrected where the `Date` of the service's
   * answers contradicts it.
   */
  readonly now?: (() => number) | undefined;
}

const kinds: { readonly [Name in keyof Required<AzureStorageStoreOptions>]: readonly string[] } = {
  connection: ['string'],
  connectionString: ['string'],
  endpoints: ['object'],
  credential: ['object'],
  prefix: ['string'],
  wakeQueue: ['string', 'boolean'],
  keepRunsMs: ['number'],
  keepSessionsMs: ['number'],
  now: ['function'],
};

/** @throws UserError for an option that there is not, and for one of another kind. Never with a value. */
export function checkOptions(options: AzureStorageStoreOptions): void {
  for (const [name, value] of Object.entries(options)) {
    const wanted: readonly string[] | undefined = new Map(Object.entries(kinds)).get(name);
    if (wanted === undefined) {
      throw new UserError(
        `azureStorageStore has an unknown option ${JSON.stringify(name)}. Options: ${Object.keys(kinds).join(', ')}.`,
      );
    }
    const fits = wanted.includes(typeof value) && value !== null && value !== true;
    if (value !== undefined && !fits) {
      throw new UserError(
        `azureStorageStore was given a ${name} of type ${value === null ? 'null' : typeof value}; it must be ${name === 'wakeQueue' ? 'a name or false' : `of type ${wanted.join(' or ')}`}.`,
      );
    }
  }
  checkConnection(options);
  checkAge('keepRunsMs', options.keepRunsMs);
  checkAge('keepSessionsMs', options.keepSessionsMs);
}

function checkAge(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isFinite(value) && value >= 0)) return;
  throw new UserError(`azureStorageStore has ${name} ${value}; it must be a number from 0.`);
}
