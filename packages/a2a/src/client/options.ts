import type { AgentConfig, RunContext, TokenCredential } from '@agent-functions/core';
import { UserError } from '@agent-functions/core';
import {
  checkOptions,
  kindOf,
  optionKinds,
  type OptionKinds,
} from '@agent-functions/core/provider';

type HeaderRecord = { readonly [name: string]: string };

/** How a remote agent is reached. Credentials go to its own origin only, over https or to this machine, and follow no redirect. */
export interface RemoteReach {
  /** Sent with every request; a function is asked for each. */
  readonly headers?: HeaderRecord | (() => HeaderRecord | Promise<HeaderRecord>) | undefined;
  /** Anything that gives an access token (OAuth): sent as `Authorization: Bearer`. */
  readonly auth?: { token(): Promise<string | undefined> } | undefined;
  /** A credential of an identity SDK (Entra), whose token for `scope` is the bearer token. */
  readonly credential?: TokenCredential | undefined;
  readonly scope?: string | undefined;
  /** Instead of `globalThis.fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Origins besides the card's own that the card may send requests to, such as `'https://api.example.com'`. */
  readonly trustedOrigins?: readonly string[] | undefined;
  /** How long one request may take, in milliseconds. Default 30,000; sending has `timeoutMs`. */
  readonly requestTimeoutMs?: number | undefined;
  /** For how long a card that was fetched is good, in milliseconds. Default 600,000. */
  readonly cardTtlMs?: number | undefined;
  /** The largest JSON document that is read, in bytes. Default 10 MiB. */
  readonly maxMessageBytes?: number | undefined;
}

/** Options of `remoteAgent()`: how it is reached, and what any agent has that is not its remote's own matter. */
export interface RemoteAgentOptions<in C = unknown, out O = string>
  extends
    RemoteReach,
    Pick<
      AgentConfig<C, O>,
      | 'description'
      | 'inputGuardrails'
      | 'outputGuardrails'
      | 'middleware'
      | 'outputType'
      | 'maxOutputRetries'
      | 'streaming'
      | 'enableConversationalAgent'
      | 'version'
      | 'aliases'
      | 'exposeAgentInfo'
    > {
  /** What the agent is called here. Default: the name on the card, where a card is given. */
  readonly name?: string | undefined;
  /** A person approves what is sent before it leaves. Default `false`. */
  readonly needsApproval?:
    | boolean
    | ((input: { readonly message: string }, context: RunContext<C>) => boolean | Promise<boolean>)
    | undefined;
  /**
   * Which keys of the request's context are sent with each message, as its `metadata`. Default: none. What a handoff's
   * own `contextKeys` leave out is not sent either.
   */
  readonly contextKeys?: readonly string[] | undefined;
  /**
   * How long the agent may work on one message, in milliseconds; then its task is cancelled. Default 600,000. The time in
   * which it waits for an answer does not count.
   */
  readonly timeoutMs?: number | undefined;
  /** How long a person may take to answer what it asks, in milliseconds. Default: no limit. */
  readonly inputTimeoutMs?: number | undefined;
  /** The largest answer, in bytes of JSON; a larger one is an error. Default 1 MiB. */
  readonly maxAnswerBytes?: number | undefined;
}

/** The reach with its defaults. */
export interface Reach {
  readonly headers: () => HeaderRecord | Promise<HeaderRecord>;
  readonly auth: RemoteReach['auth'];
  readonly credential: TokenCredential | undefined;
  readonly scope: string | undefined;
  readonly fetch: typeof globalThis.fetch | undefined;
  readonly trustedOrigins: readonly string[];
  readonly requestTimeoutMs: number;
  readonly cardTtlMs: number;
  readonly maxMessageBytes: number;
}

/** Timers wait no longer: 24 days, in milliseconds. */
const most = 2 ** 31 - 1;

const aboveZero = kindOf(
  (value) => typeof value === 'number' && value > 0 && value <= most,
  `Write a number above 0, at most ${most}.`,
);

const reachKinds: OptionKinds = {
  headers: kindOf(
    (value) => typeof value === 'function' || optionKinds.headers(value) === undefined,
    "Write an object of texts, such as { 'x-team': 'blue' }, or a function that answers one.",
  ),
  auth: optionKinds.any,
  credential: optionKinds.any,
  scope: optionKinds.text,
  fetch: optionKinds.fetch,
  trustedOrigins: optionKinds.texts,
  requestTimeoutMs: aboveZero,
  cardTtlMs: aboveZero,
  maxMessageBytes: aboveZero,
};

/** What `new Agent()` checks is not checked here. */
const agentKinds: OptionKinds = {
  name: optionKinds.text,
  description: optionKinds.text,
  inputGuardrails: optionKinds.any,
  outputGuardrails: optionKinds.any,
  middleware: optionKinds.any,
  outputType: optionKinds.any,
  maxOutputRetries: optionKinds.any,
  streaming: optionKinds.flag,
  enableConversationalAgent: optionKinds.flag,
  version: optionKinds.text,
  aliases: optionKinds.texts,
  exposeAgentInfo: optionKinds.flag,
  needsApproval: kindOf(
    (value) => typeof value === 'boolean' || typeof value === 'function',
    'Write true, false or a function.',
  ),
  contextKeys: optionKinds.texts,
  timeoutMs: aboveZero,
  inputTimeoutMs: aboveZero,
  maxAnswerBytes: aboveZero,
};

const hints = {
  url: 'The address is the first argument: remoteAgent(url, { … }).',
  model: 'The remote agent has its own; leave it out.',
  instructions: 'The remote agent has its own; leave them out.',
  tools: 'The remote agent has its own; leave them out.',
  handoffs: 'The remote agent has its own; leave them out.',
};

/** @throws UserError for options that there are not, or that are not what they may be. */
export function checkRemoteOptions(where: string, options: object): void {
  checkOptions(where, options, { ...reachKinds, ...agentKinds }, hints);
}

/** @throws UserError for a credential without a scope, or two ways to log in. */
export function toReach(where: string, options: RemoteReach): Reach {
  const { headers, auth, credential, scope } = options;
  if (credential !== undefined && scope === undefined) {
    throw new UserError(
      `${where} has a credential without a scope. Write which token it gets, such as scope: 'api://currency/.default'.`,
    );
  }
  if (credential !== undefined && auth !== undefined) {
    throw new UserError(`${where} has auth and credential. Keep one.`);
  }
  return {
    headers: typeof headers === 'function' ? headers : () => headers ?? {},
    auth,
    credential,
    scope,
    fetch: options.fetch,
    trustedOrigins: (options.trustedOrigins ?? []).map((one) => originOf(where, one)),
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    cardTtlMs: options.cardTtlMs ?? 600_000,
    maxMessageBytes: options.maxMessageBytes ?? 10 * 1_048_576,
  };
}

function originOf(where: string, url: string): string {
  if (URL.canParse(url)) return new URL(url).origin;
  throw new UserError(
    `${where} has ${JSON.stringify(url)} among its trustedOrigins. Write origins such as 'https://api.example.com'.`,
  );
}
