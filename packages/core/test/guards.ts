import { expect } from 'vitest';
import type { Watched } from '../src/events.ts';
import type { Guardrail, GuardrailCheck, GuardrailResult } from '../src/guardrail.ts';
import type { Json } from '../src/json.ts';
import { memoryStore } from '../src/memory-store.ts';
import { toPublicEvent } from '../src/public-event.ts';
import type { RunInput, RunOptions, RunResult } from '../src/run-result.ts';
import { Runner } from '../src/runner.ts';
import type { AgentDefinition } from '../src/agent-definition.ts';
import { Spoken } from '../src/spoken.ts';
import { collect } from '../src/testing/index.ts';
import { journalOf } from './engine.ts';

// What the tests of guardrails share.

export interface TestGuardrail extends Guardrail {
  /** What it was asked about, in order. */
  readonly asked: Json[];
  readonly checks: GuardrailCheck[];
}

/** A guardrail that notes what it is asked. */
export function guardrail(
  name: string,
  decide: GuardrailResult | ((what: GuardrailCheck) => GuardrailResult | Promise<GuardrailResult>),
  mode?: Guardrail['mode'],
): TestGuardrail {
  const checks: GuardrailCheck[] = [];
  const asked: Json[] = [];
  return {
    name,
    mode,
    asked,
    checks,
    check(what) {
      checks.push(what);
      asked.push(what.value);
      return typeof decide === 'function' ? decide(what) : decide;
    },
  };
}

export const allow = { action: 'allow' } as const;
export const rewrite = (value: Json) => ({ action: 'rewrite', value }) as const;
export const reject = (message: string) => ({ action: 'reject', message }) as const;
export const tripwire = (info?: Json) => ({ action: 'tripwire', info }) as const;

/** What a guardrail is asked about, as a text. */
export function said(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Everything that anybody can see of a run, and its journal. */
export async function watched<O>(
  agent: AgentDefinition<unknown, O>,
  input: RunInput,
  options: RunOptions = {},
) {
  const store = memoryStore();
  const runner = new Runner(agent, { store });
  const stream = runner.stream(input, { sessionId: 's', ...options });
  const other = stream.started.then(({ runId }) =>
    collect(new Runner(agent, { store }).events(runId, { follow: true })),
  );
  const spoken = new Spoken();
  const events: Watched[] = [];
  let text = '';
  for await (const event of stream) {
    events.push(event);
    const said = spoken.take(event);
    expect(said.withdrawn).toBe(false);
    text += said.text;
  }
  const result = await stream.result;
  const followed = await other;
  const journal = await journalOf(store, result.runId);
  const session = await store.sessions.load('s');
  return { store, runner, result, events, followed, text, journal, session };
}

/** The same run without anybody who watches. */
export async function unwatched<O>(agent: AgentDefinition<unknown, O>, input: RunInput) {
  const store = memoryStore();
  const result = await new Runner(agent, { store }).run(input, { sessionId: 's' });
  const journal = await journalOf(store, result.runId);
  return { store, result, journal, session: await store.sessions.load('s') };
}

/** What clients can see of a watched run, as text: search it for what must not be there. */
export function shownOf<O>({
  result,
  events,
  followed,
  text,
  session,
}: Awaited<ReturnType<typeof watched<O>>>): string {
  const deltas = [...events, ...followed].filter((event) => !('seq' in event));
  const messages = session.messages.filter(({ role }) => role !== 'user');
  return JSON.stringify([
    [...events, ...followed].map(toPublicEvent),
    deltas,
    facts(result),
    messages,
    text,
  ]);
}

/** What a caller is given. */
export function facts<O>(result: RunResult<O>): unknown {
  const { response, finalOutput, newMessages, messages, error, toolResults } = result;
  const said = [newMessages, messages].map((all) => all.filter(({ role }) => role !== 'user'));
  return [result.toJSON(), response, finalOutput, said, error, toolResults];
}

/** The text deltas of an agent, in the order they came. */
export function deltasOf(events: readonly Watched[], agent?: string): string[] {
  return events.flatMap((event) =>
    event.type === 'text-delta' && (agent === undefined || event.agent === agent)
      ? [event.delta]
      : [],
  );
}
