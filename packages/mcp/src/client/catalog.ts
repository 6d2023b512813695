import { AgentError, UserError } from '@agent-functions/core';
import { orAborted } from '@agent-functions/core/provider';
import type { Connection } from './connection.ts';
import { toPage, type ToolDefinition } from './definition.ts';
import { doesNotFit, errorText, fateOf } from './error-text.ts';
import { fingerprint } from './fingerprint.ts';
import { ask } from './mcp-client.ts';
import type { Session } from './session.ts';
import type { Settings } from './settings.ts';

/** A tool of a server, and what its definition is recognised by. */
export interface Listed {
  readonly definition: ToolDefinition;
  readonly fingerprint: string;
}

/** What a server lists, split: what may be called, and what changed since it was accepted. */
export interface Listing {
  readonly tools: readonly Listed[];
  readonly changed: readonly Listed[];
  /** Tools that do not fit the protocol, and why. */
  readonly leftOut: ReadonlyMap<string, string>;
}

interface Known {
  readonly session: Session;
  readonly toolsVersion: number;
  readonly until: number;
  readonly all: readonly Listed[];
}

/** Thrown where the session turned out to be over: the same may be asked in another. */
class SessionOver extends Error {}

const never = new AbortController().signal;

/** More pages than any server has: one whose cursors never end. */
const maxPages = 100;

/**
 * The tools of a server as it lists them. The first definition of a tool that is seen counts as accepted, unless the
 * options name another; one that changes later is kept apart until it is accepted too.
 */
export class Catalog {
  readonly #connection: Connection;
  readonly #settings: Settings;
  readonly #accepted: Map<string, string>;
  /** Definitions by what they were when they were last hashed. */
  #hashes = new Map<string, { readonly text: string; readonly hash: string }>();
  #known: Known | undefined;
  #listing: Promise<readonly Listed[]> | undefined;

  constructor(connection: Connection, settings: Settings) {
    this.#connection = connection;
    this.#settings = settings;
    this.#accepted = new Map(Object.entries(settings.accepted));
  }

  /** @throws AgentError `not_configured` where the server cannot be asked. */
  async list(signal: AbortSignal): Promise<Listing> {
    const all = await this.#all(signal);
    const tools: Listed[] = [];
    const changed: Listed[] = [];
    for (const one of all) {
      const { name } = one.definition;
      const accepted = this.#accepted.get(name);
      if (accepted === undefined) this.#accepted.set(name, one.fingerprint);
      if (accepted === undefined || accepted === one.fingerprint) tools.push(one);
      else changed.push(one);
    }
    const leftOut = this.#known?.session.sieve?.leftOut ?? new Map<string, string>();
    return { tools, changed, leftOut };
  }

  /** The present fingerprints, by the server's names. */
  async fingerprints(signal: AbortSignal): Promise<{ readonly [toolName: string]: string }> {
    const all = await this.#all(signal);
    return Object.fromEntries(all.map((one) => [one.definition.name, one.fingerprint]));
  }

  /** Accepts the present definitions of these tools, or of all. @throws UserError for a tool that is not there. */
  async accept(names: readonly string[] | undefined, signal: AbortSignal): Promise<void> {
    const all = await this.#all(signal);
    const there = all.map(({ definition }) => definition.name);
    const missing = names?.find((name) => !there.includes(name));
    if (missing !== undefined) {
      throw new UserError(
        `MCP server ${this.#settings.name} has no tool ${JSON.stringify(missing)} to accept. Tools: ${there.join(', ')}.`,
      );
    }
    for (const { definition, fingerprint: present } of all) {
      if (names?.includes(definition.name) !== false) this.#accepted.set(definition.name, present);
    }
  }

  async #all(signal: AbortSignal): Promise<readonly Listed[]> {
    const known = this.#known;
    if (
      known !== undefined &&
      !known.session.lost.aborted &&
      known.toolsVersion === known.session.toolsVersion &&
      performance.now() < known.until
    ) {
      return known.all;
    }
    signal.throwIfAborted();
    // Runs that ask at the same time ask once; it goes on when one of them stops waiting.
    this.#listing ??= this.#ask().finally(() => {
      this.#listing = undefined;
    });
    return orAborted(this.#listing, signal);
  }

  async #ask(): Promise<readonly Listed[]> {
    try {
      return await this.#askOnce();
    } catch (error) {
      // The server began anew since, or has gone: asking again changes nothing there.
      if (!(error instanceof SessionOver)) throw error;
      return await this.#askOnce().catch((again: unknown) => {
        throw again instanceof SessionOver ? this.#failure(again.cause) : again;
      });
    }
  }

  async #askOnce(): Promise<readonly Listed[]> {
    const { name, connectTimeoutMs, toolsTtlMs } = this.#settings;
    // Connecting has a limit of its own.
    const session = await this.#connection.session(never);
    const { toolsVersion } = session;
    const late = new AbortController();
    const why = `MCP server ${name}: it did not list its tools within ${connectTimeoutMs} ms (connectTimeoutMs).`;
    const timer = setTimeout(
      () => late.abort(new AgentError('not_configured', why)),
      connectTimeoutMs,
    );
    try {
      const definitions = await this.#pages(session, late.signal);
      const all = definitions.map((definition) => ({
        definition,
        fingerprint: this.#hash(definition),
      }));
      this.#connection.worked();
      this.#known = { session, toolsVersion, until: performance.now() + toolsTtlMs, all };
      return all;
    } finally {
      clearTimeout(timer);
    }
  }

  async #pages(session: Session, signal: AbortSignal): Promise<readonly ToolDefinition[]> {
    const tools: ToolDefinition[] = [];
    const { sieve } = session;
    sieve?.begin();
    let cursor: string | undefined;
    try {
      for (let page = 0; page < maxPages; page += 1) {
        const params = cursor === undefined ? undefined : { cursor };
        const asked = ask(session.client, 'listTools', params, {
          signal,
          timeout: this.#settings.connectTimeoutMs + 1_000,
        });
        const answer = toPage(await orAborted(orLost(asked, session), signal));
        tools.push(...answer.tools);
        if (answer.nextCursor === undefined || answer.nextCursor === cursor) break;
        cursor = answer.nextCursor;
      }
    } catch (error) {
      if (sieve !== undefined && !sieve.on && doesNotFit(error)) {
        // One odd tool does not cost the others: they are asked for again, without it.
        sieve.turnOn();
        return this.#pages(session, signal);
      }
      const { fate, lost } = fateOf(error);
      const over = lost || fate === 'no-session' || session.lost.aborted;
      if (over && session.own && !session.closed && !signal.aborted) {
        session.lose(errorText(error));
        throw new SessionOver(errorText(error), { cause: error });
      }
      const why = AgentError.isInstance(error) ? error : this.#failure(error);
      this.#connection.failed(session, why, lost || signal.aborted);
      throw why;
    }
    return unique(tools);
  }

  #failure(error: unknown): AgentError {
    return new AgentError(
      'not_configured',
      `MCP server ${this.#settings.name}: ${errorText(error)}.`,
      {
        cause: error,
        retryable: true,
      },
    );
  }

  /** Hashed again only where it changed: it is asked for every turn. */
  #hash(definition: ToolDefinition): string {
    const text = JSON.stringify(definition);
    const known = this.#hashes.get(definition.name);
    if (known?.text === text) return known.hash;
    const hash = fingerprint(definition);
    this.#hashes.set(definition.name, { text, hash });
    return hash;
  }
}

/** The first of each name: a server that lists two of one can only be called for one. */
function unique(tools: readonly ToolDefinition[]): readonly ToolDefinition[] {
  return [...new Map(tools.toReversed().map((one) => [one.name, one])).values()].toReversed();
}

function orLost<T>(asked: Promise<T>, session: Session): Promise<T> {
  return orAborted(asked, session.lost);
}
