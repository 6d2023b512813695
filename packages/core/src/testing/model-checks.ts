import { isModelError } from '../attempts.ts';
import type { ModelError, ModelErrorReason } from '../errors.ts';
import type { Message } from '../message.ts';
import { sleep } from '../wait.ts';
import { equal, ok } from './assert.ts';
import type { ModelFixture } from './model-fixture.ts';
import { contractSecret } from './model-scenario.ts';

/** What holds for every failure of a model: its reason, its provider, and no key in it. */
export function checkModelError(
  error: unknown,
  reason: ModelErrorReason,
  { model }: ModelFixture,
): asserts error is ModelError {
  ok(isModelError(error), `a ModelError, not ${String(error)}`);
  equal(error.reason, reason, `the reason of "${error.message}"`);
  equal(error.provider, model.provider, 'the provider');
  for (const text of texts(error)) {
    ok(!text.includes(contractSecret), 'the key is not in the error');
  }
  ok(!JSON.stringify(model).includes(contractSecret), 'the key is not in the model as JSON');
}

/** Every text of an error, its causes and fields. */
function texts(value: unknown, depth = 0): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null || depth > 6) return [];
  const fields = Object.getOwnPropertyNames(value).flatMap((name) => {
    const field: unknown = Reflect.get(value, name);
    return texts(field, depth + 1);
  });
  return fields;
}

/** A call that fails within a second of an abort, with the abort's reason. */
export async function endsWith(failing: Promise<{ error: unknown }>, abort: AbortController) {
  const reason = new Error('stopped by the test');
  const aborted = performance.now();
  abort.abort(reason);
  const { error } = await failing;
  ok(performance.now() - aborted < 1_000, 'within a second');
  ok(error === reason, `the abort reason, not ${String(error)}`);
}

/** A promise that resolves within two seconds; one that is not there is not waited for. */
export async function soon(promise: Promise<unknown> | undefined, what: string): Promise<void> {
  if (promise === undefined) return;
  const stop = new AbortController();
  const late = sleep(2_000, stop.signal).then(
    () => what,
    () => undefined,
  );
  const missed = await Promise.race([promise.then(() => undefined), late]);
  stop.abort();
  ok(missed === undefined, `not within 2 s: ${what}`);
}

/** A call of a tool and its result. */
export function called(index: number, isError = false): readonly Message[] {
  const one = { callId: `f0.t${index}.c1`, toolName: 'get_weather' };
  const text = `weather ${index}!`;
  return [
    {
      id: `f0.t${index}`,
      runId: 'run-1',
      role: 'assistant',
      parts: [{ type: 'tool-call', ...one, input: { city: 'Oslo' } }],
    },
    {
      id: `f0.t${index}.r`,
      runId: 'run-1',
      role: 'tool',
      parts: [
        {
          type: 'tool-result',
          ...one,
          output: { type: 'content', parts: [{ type: 'text', text }] },
          ...(isError ? { isError } : {}),
        },
      ],
    },
  ];
}

/** The texts are in the messages of the request, one after the other. */
export function inOrder(test: ModelFixture, texts: readonly string[]): void {
  const all = test
    .sent()
    .messages.map(({ text }) => text)
    .join('\n');
  let at = 0;
  for (const text of texts) {
    const found = all.indexOf(text, at);
    ok(found >= at, `${text} is sent, after what comes before it: ${all.slice(0, 2_000)}`);
    at = found + text.length;
  }
}
