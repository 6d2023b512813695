import { AgentError } from '@agent-functions/core';
import { once } from '@agent-functions/core/provider';
import type { Client } from '@a2a-js/sdk/client';
import { preferred, readCard, type RemoteCard, type RemoteInterface } from './card.ts';
import { errorText, HttpStatusError, isRefusal } from './errors.ts';
import { remoteFetch, type Fetch } from './http-fetch.ts';
import type { Reach } from './options.ts';

const loadClient = once(() => import('@a2a-js/sdk/client'));
const loadTypes = once(() => import('@a2a-js/sdk'));

/** A remote agent that can be spoken to: its card, and the SDK's client for the binding that the card prefers. */
export interface Peer {
  readonly card: RemoteCard;
  readonly client: Client;
  /** The SDK's types and constants, which are loaded on first use. */
  readonly sdk: typeof import('@a2a-js/sdk');
}

/** Where an agent is found: its card, or where that is. */
export type Whereabouts =
  | { readonly type: 'url'; readonly url: string }
  | { readonly type: 'card'; readonly card: RemoteCard };

/** The way to one remote agent. Its card is fetched on first use, and again when it is old. */
export class Connection {
  readonly #where: string;
  readonly #whereabouts: Whereabouts;
  readonly #reach: Reach;
  readonly #fetch: Fetch;
  #origins: ReadonlySet<string>;
  #peer: Promise<Peer> | undefined;
  #goodUntil = 0;

  constructor(name: string, whereabouts: Whereabouts, reach: Reach) {
    this.#where = `remote agent ${name}`;
    this.#whereabouts = whereabouts;
    this.#reach = reach;
    const own =
      whereabouts.type === 'url'
        ? [whereabouts.url]
        : // Who gives the card vouches for it.
          whereabouts.card.interfaces.map(({ url }) => url);
    this.#origins = new Set([...own.map((url) => new URL(url).origin), ...reach.trustedOrigins]);
    this.#fetch = remoteFetch(this.#where, reach, () => this.#origins);
  }

  /** The agent as its card has it. One that cannot be fetched again is used as it was. */
  peer(): Promise<Peer> {
    if (this.#peer !== undefined && Date.now() < this.#goodUntil) return this.#peer;
    const before = this.#peer;
    const peer = this.#open().catch(async (error: unknown) => {
      const kept = await before?.catch(() => undefined);
      if (kept !== undefined) return kept;
      this.#goodUntil = 0;
      throw error;
    });
    this.#peer = peer;
    this.#goodUntil = Date.now() + this.#reach.cardTtlMs;
    return peer;
  }

  async #open(): Promise<Peer> {
    const card =
      this.#whereabouts.type === 'card'
        ? this.#whereabouts.card
        : await this.#fetchCard(this.#whereabouts.url);
    const way = preferred(card);
    if (way === undefined) throw new Error('A card that was read has an interface.');
    const sdk = await loadTypes();
    return { card, client: await clientFor(card, way, this.#fetch, sdk), sdk };
  }

  async #fetchCard(url: string): Promise<RemoteCard> {
    let failure: unknown;
    for (const address of cardAddresses(url)) {
      try {
        const response = await this.#fetch(address, {
          headers: { accept: 'application/json', 'a2a-version': '1.0' },
          signal: AbortSignal.timeout(this.#reach.requestTimeoutMs),
        });
        if (response.ok) return readCard(this.#where, await response.json());
        await response.body?.cancel();
        throw new HttpStatusError(response.status, response.headers);
      } catch (error) {
        failure = error;
        if (!(error instanceof HttpStatusError) || error.status !== 404) break;
      }
    }
    if (AgentError.isInstance(failure)) throw failure;
    throw new AgentError(
      'handoff_error',
      `The agent card of ${this.#where} cannot be read: ${errorText(failure)}.`,
      { cause: failure, retryable: !isRefusal(failure) },
    );
  }
}

/** The card itself, or where cards are: of protocol 1.0 and late 0.3, then of early 0.3. */
function cardAddresses(url: string): readonly string[] {
  const { pathname, search, href } = new URL(url);
  if (pathname.endsWith('.json')) return [href];
  const base = new URL(`${pathname.replace(/\/+$/, '')}/`, url);
  return ['.well-known/agent-card.json', '.well-known/agent.json'].map(
    (path) => `${new URL(path, base).href}${search}`,
  );
}

/** The SDK's client for one interface of a card. */
async function clientFor(
  card: RemoteCard,
  way: RemoteInterface,
  fetch: Fetch,
  { AgentCard }: Peer['sdk'],
): Promise<Client> {
  const sdk = await loadClient();
  const known = AgentCard.fromJSON({
    name: card.name,
    description: card.description,
    capabilities: { streaming: card.streaming },
    supportedInterfaces: [
      {
        url: way.url,
        protocolBinding: way.binding,
        protocolVersion: way.protocol,
        tenant: way.tenant,
      },
    ],
  });
  const options = { fetchImpl: fetch, legacyCompat: { enabled: true } };
  const factory =
    way.binding === 'JSONRPC'
      ? new sdk.JsonRpcTransportFactory(options)
      : new sdk.RestTransportFactory(options);
  const transport = await factory.create(way.url, known);
  return new sdk.Client(
    way.tenant === '' ? transport : new sdk.TenantTransportDecorator(transport, way.tenant),
    known,
    { polling: true },
  );
}
