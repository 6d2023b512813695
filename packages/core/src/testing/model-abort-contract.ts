import { equal, eventually, ok } from './assert.ts';
import { gate } from './gate.ts';
import { endsWith, soon } from './model-checks.ts';
import { contractRequest, type ModelCase } from './model-fixture.ts';
import type { ServerAnswer } from './model-scenario.ts';

const long: ServerAnswer = {
  type: 'answer',
  text: ['one ', 'two ', 'three ', 'four'],
  finish: 'stop',
};

/** What a model makes of readers who stop. */
export function abortContract(it: ModelCase): void {
  const never = gate();
  it(
    'ends within a second of an abort before the first byte, with its reason',
    {
      name: 'slow-first-byte',
      replies: [{ ...long, pause: { afterChunks: 0, until: never.wait() } }],
    },
    async (test) => {
      const abort = new AbortController();
      const failing = test.fail({}, abort.signal);
      await eventually(() => test.requests().length === 1, 'the request arrives');
      await endsWith(failing, abort);
      await soon(test.hungUp, 'the server sees the client hang up');
    },
  );

  it(
    'ends within a second of an abort between deltas, with its reason',
    { name: 'abort', replies: [{ ...long, pause: { afterChunks: 2, until: never.wait() } }] },
    async (test) => {
      const abort = new AbortController();
      const stream = test.model.stream(contractRequest(), { signal: abort.signal });
      const events = stream[Symbol.asyncIterator]();
      let next = await events.next();
      while (next.done !== true && next.value.type !== 'text-delta') next = await events.next();
      const failing = (async () => {
        for (;;) if ((await events.next()).done === true) throw new Error('it ended quietly');
      })();
      await endsWith(
        failing.catch((error: unknown) => ({ error })),
        abort,
      );
      await soon(test.hungUp, 'the server sees the client hang up');
    },
  );

  it(
    'hangs up when its reader leaves',
    { name: 'leave', replies: [{ ...long, pause: { afterChunks: 2, until: never.wait() } }] },
    async (test) => {
      const { signal } = new AbortController();
      for await (const { type } of test.model.stream(contractRequest(), { signal })) {
        if (type === 'text-delta') break;
      }
      await soon(test.hungUp, 'the server sees the client hang up');
    },
  );

  it(
    'asks nothing when the signal has fired before',
    { name: 'aborted-before', replies: [long] },
    async (test) => {
      const reason = new Error('stopped before');
      const { error } = await test.fail({}, AbortSignal.abort(reason));
      ok(error === reason, `the abort reason: ${String(error)}`);
      equal(test.requests().length, 0, 'no request');
    },
  );

  it(
    'ends within a second of an abort of an answer in one piece, with its reason',
    {
      name: 'abort-one-piece',
      replies: [{ ...long, pause: { afterChunks: 0, until: never.wait() } }],
    },
    async (test) => {
      const abort = new AbortController();
      const failing = test.fail({ settings: { streaming: false } }, abort.signal);
      await eventually(() => test.requests().length === 1, 'the request arrives');
      await endsWith(failing, abort);
      await soon(test.hungUp, 'the server sees the client hang up');
    },
  );

  it(
    'has nothing to end once the response is there',
    { name: 'abort-after', replies: [long] },
    async (test) => {
      const abort = new AbortController();
      const types: string[] = [];
      for await (const { type } of test.model.stream(contractRequest(), { signal: abort.signal })) {
        types.push(type);
        if (type === 'response') abort.abort(new Error('stopped after'));
      }
      equal(types.at(-1), 'response', 'the response was the last');
      equal((await test.ask()).text, 'one two three four', 'the next answer');
    },
  );
}
