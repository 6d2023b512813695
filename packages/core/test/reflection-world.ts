import type { AgentConfig } from '../src/agent-definition.ts';
import type { Watched } from '../src/events.ts';
import { memoryStore } from '../src/memory-store.ts';
import { ReflectionAgent } from '../src/reflection-agent.ts';
import type { ReflectionOptions } from '../src/reflection.ts';
import { Runner } from '../src/runner.ts';
import { toPublicEvent } from '../src/public-event.ts';
import { scriptedModel, type Script, type ScriptedTurn } from '../src/testing/index.ts';

// A writer whose drafts are judged by another model, for the tests of reflection.

/** What a judge answers who looks at quality only. */
export function scored(quality: unknown, feedback?: unknown): ScriptedTurn {
  return { json: { scores: { quality }, ...(feedback === undefined ? {} : { feedback }) } };
}

/** A writer, its two models, and a runner with a store. */
export function writing<O = string>(
  drafts: Script,
  judgements: Script,
  options: Partial<AgentConfig<unknown, O> & ReflectionOptions<unknown, O>> = {},
) {
  const model = scriptedModel(drafts);
  const judge = scriptedModel(judgements, { provider: 'judge', modelId: 'strict' });
  const agent = new ReflectionAgent<unknown, O>({
    name: 'writer',
    model,
    evaluationModel: judge,
    criteria: ['quality'],
    ...options,
  });
  const store = memoryStore();
  return { model, judge, agent, store, runner: new Runner<unknown, O>(agent, { store }) };
}

/** Everything that a client could see of events, as one text. */
export function shownIn(events: readonly Watched[]): string {
  return events.map((event) => JSON.stringify(toPublicEvent(event))).join('\n');
}
