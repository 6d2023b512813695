import { canonicalJson, keyedRunId, sha256Hex, type Principal } from '@agent-functions/core';
import { badRequest } from './problem.ts';
import type { Scope, Served } from './scope.ts';

/** A request that may be sent again: its key, and the run that the key stands for. */
export interface Keyed {
  readonly key: string;
  readonly runId: string;
  /** The run was there before this request. */
  readonly replayed: boolean;
}

const maxLength = 255;
const shortestOfAnybody = 32;

/**
 * What `Idempotency-Key` says (draft-ietf-httpapi-idempotency-key-header): the draft's quoted string, or the bare text
 * that most clients send; both are one key.
 *
 * @throws Problem 400 for what is no key, and without a principal for one that could be guessed.
 */
export async function keyedRequest(
  scope: Scope,
  { agent }: Served,
  headers: Headers,
  principal: Principal | undefined,
): Promise<Keyed | undefined> {
  const value = headers.get('idempotency-key');
  if (value === null) return undefined;
  const key = keyIn(value);
  if (principal === undefined && key.length < shortestOfAnybody) {
    throw badRequest(
      `The Idempotency-Key has ${key.length} characters. Without a principal it must have at least ${shortestOfAnybody}, because it is all that protects the run: send a random one.`,
    );
  }
  const runId = await keyedRunId(principal?.id, agent.name, key);
  return { key, runId, replayed: (await scope.store.runs.header(runId)) !== undefined };
}

/** The session of a keyed request that names none: the same for every repeat, and as hard to guess as the key. */
export function keyedSessionId(
  { agent }: Served,
  { key }: Keyed,
  principal: Principal | undefined,
): Promise<string> {
  return sha256Hex(canonicalJson(['session', principal?.id ?? null, agent.name, key]), 128);
}

function keyIn(value: string): string {
  const quoted = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/.exec(value);
  const key = quoted === null ? value : (quoted[1] ?? '').replaceAll(/\\(["\\])/g, '$1');
  if (key === '') throw badRequest('The Idempotency-Key is empty. Send a random one, or none.');
  if (key.length > maxLength) {
    throw badRequest(
      `The Idempotency-Key has ${key.length} characters; at most ${maxLength} are taken.`,
    );
  }
  // A header that was sent twice arrives as one with a comma and a space.
  if (quoted === null && !/^[\x21-\x7e]+$/.test(key)) {
    throw badRequest(
      'The Idempotency-Key is not usable: send it once, in visible ASCII characters without spaces.',
    );
  }
  return key;
}
