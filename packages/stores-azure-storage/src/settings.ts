import { AgentError, UserError, type TokenCredential } from '@agent-functions/core';

/** Where the services of a storage account are, by full addresses. */
export interface Endpoints {
  readonly table: string;
  readonly blob: string;
  readonly queue: string;
}

/** How to reach the account. */
export type Connection =
  | { readonly type: 'connection-string'; readonly connectionString: string }
  | {
      readonly type: 'endpoints';
      readonly endpoints: Endpoints;
      readonly credential: TokenCredential;
    };

export interface ConnectionOptions {
  /**
   * The name of a setting, as Functions know it: `<name>` is a connection string, or `<name>__accountName` (or
   * `<name>__tableServiceUri`, `__blobServiceUri`, `__queueServiceUri`) says where the account is, and `credential` who
   * asks. Default `AzureWebJobsStorage`.
   */
  readonly connection?: string | undefined;
  /** The connection string itself, instead of a setting. */
  readonly connectionString?: string | undefined;
  /** The addresses of the account's services, instead of a setting; with `credential`. */
  readonly endpoints?: Endpoints | undefined;
  /** Who asks, where there is no connection string: `new DefaultAzureCredential()` of `@azure/identity`. */
  readonly credential?: TokenCredential | undefined;
}

export const defaultConnection = 'AzureWebJobsStorage';

/** The setting that names the account; `undefined` when the account was given as it is. */
export function settingOf(options: ConnectionOptions): string | undefined {
  if (options.connectionString !== undefined || options.endpoints !== undefined) return undefined;
  return options.connection ?? defaultConnection;
}

/** @throws UserError for options that contradict each other. */
export function checkConnection(options: ConnectionOptions): void {
  const { connection, connectionString, endpoints, credential } = options;
  const ways = Object.entries({ connection, connectionString, endpoints })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (ways.length > 1) {
    throw new UserError(
      `azureStorageStore was given ${ways.join(' and ')}. Keep one: each says where the account is.`,
    );
  }
  if (endpoints !== undefined && credential === undefined) {
    throw new UserError(
      'azureStorageStore was given endpoints without a credential. Add credential: new DefaultAzureCredential() of @azure/identity.',
    );
  }
  for (const [service, address] of Object.entries(endpoints ?? {})) {
    if (!isAddress(address)) {
      throw new UserError(
        `azureStorageStore was given endpoints.${service} ${JSON.stringify(address)}; it must be an address such as https://name.${service}.core.windows.net.`,
      );
    }
  }
}

/**
 * Where the account is, looked up when it is first needed: a missing setting fails the calls of this store and nothing
 * else of the app.
 *
 * @throws AgentError `not_configured` with the setting to make. Never with what a setting holds.
 */
export function connectionOf(
  options: ConnectionOptions,
  env: { readonly [name: string]: string | undefined },
): Connection {
  const { connectionString, endpoints, credential } = options;
  if (connectionString !== undefined) {
    return fromString(connectionString, 'azureStorageStore was given a connectionString that');
  }
  if (endpoints !== undefined && credential !== undefined) {
    return { type: 'endpoints', endpoints, credential };
  }
  const name = options.connection ?? defaultConnection;
  const value = env[name]?.trim() ?? '';
  if (value !== '') return fromString(value, `The setting ${name}`);
  const found = endpointsOf(name, env);
  if (found === undefined) {
    throw new AgentError(
      'not_configured',
      `azureStorageStore found no storage account: the setting ${name} is missing, and so is ${name}__accountName. Set ${name} to a connection string (UseDevelopmentStorage=true for Azurite), or ${name}__accountName to the account's name.`,
    );
  }
  if (credential === undefined) {
    const clientId = env[`${name}__clientId`] !== undefined;
    const example = clientId
      ? `new ManagedIdentityCredential({ clientId: process.env.${name}__clientId })`
      : 'new DefaultAzureCredential()';
    throw new AgentError(
      'not_configured',
      `The settings ${name}__… name a storage account to use by identity, and azureStorageStore was given no credential. Write azureStorageStore({ credential: ${example} }), of @azure/identity.`,
    );
  }
  return { type: 'endpoints', endpoints: found, credential };
}

// As the identity settings of Functions' own storage:
// https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
function endpointsOf(
  name: string,
  env: { readonly [name: string]: string | undefined },
): Endpoints | undefined {
  const account = env[`${name}__accountName`];
  const addresses = {
    table: env[`${name}__tableServiceUri`],
    blob: env[`${name}__blobServiceUri`],
    queue: env[`${name}__queueServiceUri`],
  };
  // Functions ask for two of the three; the services of one account differ in one word.
  const known = Object.entries(addresses).find(([, address]) => address !== undefined);
  const addressOf = (service: keyof Endpoints): string | undefined =>
    addresses[service] ??
    (known?.[1] !== undefined
      ? known[1].replace(`.${known[0]}.`, `.${service}.`)
      : account && `https://${account}.${service}.core.windows.net`);
  const [table, blob, queue] = [addressOf('table'), addressOf('blob'), addressOf('queue')];
  if (table === undefined || blob === undefined || queue === undefined) return undefined;
  for (const [service, address] of Object.entries({ table, blob, queue })) {
    if (isAddress(address)) continue;
    throw new AgentError(
      'not_configured',
      `The setting ${name}__${addresses.table === address ? 'tableServiceUri' : `${service}ServiceUri`} is no address. Set it to one such as https://name.${service}.core.windows.net.`,
    );
  }
  return { table, blob, queue };
}

function fromString(connectionString: string, subject: string): Connection {
  const fits =
    /UseDevelopmentStorage=true/i.test(connectionString) ||
    (/AccountName=/i.test(connectionString) && /AccountKey=/i.test(connectionString)) ||
    (/SharedAccessSignature=/i.test(connectionString) && /TableEndpoint=/i.test(connectionString));
  if (fits) return { type: 'connection-string', connectionString };
  throw new AgentError(
    'not_configured',
    `${subject} is no connection string of a storage account. Copy it from the account's access keys: DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…`,
  );
}

function isAddress(text: unknown): boolean {
  return typeof text === 'string' && /^https?:\/\//.test(text) && URL.canParse(text);
}
