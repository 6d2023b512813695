import { describe, expect, it } from 'vitest';
import { Agent } from './agent.ts';
import { readResponse } from './read-response.ts';
import { ModelError, UserError, type ModelErrorReason } from './errors.ts';
import { fallback } from './fallback.ts';
import type { Model, ModelRequest, ModelSettings, ModelStreamEvent } from './model.ts';
import { buffered } from './model-settings.ts';
import { retry, withDefaults } from './retry.ts';
import { Runner } from './runner.ts';
import { collect, gate, scriptedModel, type Script } from './testing/index.ts';
import { timeout } from './timeout.ts';

const { signal } = new AbortController();
const ask: ModelRequest = { messages: [], tools: [], settings: {} };
const withSettings = (settings: ModelSettings): ModelRequest => ({ ...ask, settings });
const failure = (reason: ModelErrorReason, retryAfterMs?: number): ModelError =>
  new ModelError(`The server said ${reason}.`, { reason, retryAfterMs });

/** A `sleep` that takes no time and tells what it was asked for. */
function fakeSleep(): { waits: number[]; sleep: (ms: number) => Promise<void> } {
  const waits: number[] = [];
  return {
    waits,
    sleep: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
  };
}

const types = (events: readonly ModelStreamEvent[]): string[] => events.map(({ type }) => type);
const read = (model: Model, request = ask, on: AbortSignal = signal) =>
  collect(model.stream(request, { signal: on }));

/** What a stream yields and then throws. */
async function failing(model: Model, request = ask, on: AbortSignal = signal) {
  const events: ModelStreamEvent[] = [];
  try {
    for await (const event of model.stream(request, { signal: on })) events.push(event);
  } catch (error) {
    return { events, error };
  }
  throw new Error('It did not fail.');
}

const named = (provider: string, script: Script) =>
  scriptedModel(script, { provider, modelId: 'm' });

describe('retry', () => {
  it('asks again after a retryable failure and says that what it showed is void', async () => {
    const inner = scriptedModel([
      { text: 'Hal', error: failure('network'), breakAfter: 1 },
      failure('overloaded'),
      'Hello',
    ]);
    const { sleep, waits } = fakeSleep();
    const events = await read(retry(inner, { sleep, random: () => 0.5 }));
    const from = { provider: 'scripted', modelId: 'script' };
    expect(events.slice(0, 4)).toEqual([
      { type: 'text-delta', delta: 'Hal' },
      { type: 'restart', reason: 'network', attempt: 2, afterMs: 250, from },
      { type: 'restart', reason: 'overloaded', attempt: 3, afterMs: 500, from },
      { type: 'text-delta', delta: 'Hello' },
    ]);
    expect(events.at(-1)?.type).toBe('response');
    expect(waits).toEqual([250, 500]);
  });

  it('gives up after maxRetries with the last error', async () => {
    const last = failure('overloaded');
    const inner = scriptedModel([failure('network'), last]);
    const { sleep } = fakeSleep();
    const { error, events } = await failing(retry(inner, { maxRetries: 1, sleep }));
    expect(error).toBe(last);
    expect(types(events)).toEqual(['restart']);
  });

  it.each<ModelErrorReason>([
    'authentication',
    'permission',
    'quota',
    'invalid-request',
    'context-length',
    'content-filter',
    'unknown',
  ])('does not repeat a call that failed with %s', async (reason) => {
    const inner = scriptedModel([failure(reason)]);
    expect((await failing(retry(inner))).error).toMatchObject({ reason });
    expect(inner.calls).toBe(1);
  });

  it('does not repeat what is not a ModelError', async () => {
    const bug = new TypeError('x is not a function');
    const inner = scriptedModel([bug]);
    expect((await failing(retry(inner))).error).toBe(bug);
    expect(inner.calls).toBe(1);
  });

  it('waits exactly as long as the server asks, and gives up when that is too long', async () => {
    const { sleep, waits } = fakeSleep();
    const inner = scriptedModel([failure('rate-limit', 1_234), failure('rate-limit', 60_000)]);
    const { error } = await failing(retry(inner, { sleep, maxDelayMs: 30_000 }));
    expect(waits).toEqual([1_234]);
    expect(error).toMatchObject({ reason: 'rate-limit', retryAfterMs: 60_000 });
    expect(inner.calls).toBe(2);
  });

  it('doubles the longest wait up to maxDelayMs', async () => {
    const { sleep, waits } = fakeSleep();
    const inner = scriptedModel(() => failure('network'));
    const options = { maxRetries: 5, initialDelayMs: 100, maxDelayMs: 900, sleep, random: () => 1 };
    await failing(retry(inner, options));
    expect(waits).toEqual([100, 200, 400, 800, 900]);
  });

  it('aborts a wait at once and asks no more', async () => {
    const abort = new AbortController();
    const inner = scriptedModel([failure('rate-limit', 20_000)]);
    const stream = retry(inner).stream(ask, { signal: abort.signal })[Symbol.asyncIterator]();
    expect((await stream.next()).value).toMatchObject({ type: 'restart', afterMs: 20_000 });
    const waiting = stream.next();
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(inner.calls).toBe(1);
  });

  it('takes what the wrapper leaves open from the settings of the request', async () => {
    const inner = scriptedModel(() => failure('network'));
    const { sleep } = fakeSleep();
    await failing(retry(inner, { sleep }), withSettings({ retry: { maxRetries: 4 } }));
    expect(inner.calls).toBe(5);
  });

  it('refuses options that cannot be meant', () => {
    const inner = scriptedModel([]);
    expect(() => retry(inner, { maxRetries: -1 })).toThrow(UserError);
    expect(() => retry(inner, { initialDelayMs: Number.NaN })).toThrow(/initialDelayMs is NaN/);
  });
});

describe('every call', () => {
  it('that ends without a response is an invalid-response, and is tried again', async () => {
    const inner = scriptedModel([{ text: 'Hal', breakAfter: 1 }, 'Hello']);
    const events = await read(retry(inner, { initialDelayMs: 0 }));
    expect(events[1]).toMatchObject({ type: 'restart', reason: 'invalid-response' });
    expect(events.at(-1)?.type).toBe('response');
  });

  it('ends with the response: what comes after it is ignored', async () => {
    const inner = scriptedModel(['Hello']);
    const [, response] = await read(inner);
    let cleanedUp = false;
    const talkative: Model = {
      ...inner,
      async *stream() {
        try {
          if (response !== undefined) yield response;
          yield { type: 'text-delta', delta: 'PS' };
          throw new Error('too late');
        } finally {
          cleanedUp = true;
        }
      },
    };
    expect(types(await read(withDefaults(talkative)))).toEqual(['response']);
    expect(cleanedUp).toBe(true);
  });

  it('ends with the abort reason, even when the model does not listen', async () => {
    const abort = new AbortController();
    const deaf: Model = {
      provider: 'deaf',
      modelId: 'post',
      // oxlint-disable-next-line require-yield
      async *stream() {
        await new Promise(() => undefined);
      },
    };
    const failed = failing(withDefaults(deaf), ask, abort.signal);
    const asked = readResponse(deaf, ask, { signal: abort.signal, onEvent: () => undefined });
    abort.abort(new Error('enough'));
    expect((await failed).error).toMatchObject({ message: 'enough' });
    await expect(asked).rejects.toThrow('enough');
  });

  it('tells of an abort that came between two events', async () => {
    const abort = new AbortController();
    const inner = scriptedModel(['Hello there']);
    const call = withDefaults(inner).stream(ask, { signal: abort.signal });
    const stream = call[Symbol.asyncIterator]();
    await stream.next();
    abort.abort(new Error('enough'));
    await expect(stream.next()).rejects.toThrow('enough');
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(inner.running).toBe(0);
  });

  it('asks nothing when the signal has fired before', async () => {
    const inner = scriptedModel(['Hello']);
    const { error } = await failing(withDefaults(inner), ask, AbortSignal.abort(new Error('no')));
    expect(error).toMatchObject({ message: 'no' });
    expect(inner.calls).toBe(0);
  });

  it('that is left early leaves the model', async () => {
    const inner = scriptedModel(() => 'Hello there');
    for (const model of [
      withDefaults(inner),
      fallback(inner),
      timeout(inner, { totalMs: 1_000 }),
    ]) {
      for await (const event of model.stream(ask, { signal })) {
        expect(event.type).toBe('text-delta');
        expect(inner.running).toBe(1);
        break;
      }
      expect(inner.running).toBe(0);
    }
  });

  it('aborts the model of a reader who left, with a signal of its own', async () => {
    const seen: AbortSignal[] = [];
    const inner = scriptedModel(['Hello there']);
    const spy: Model = {
      ...inner,
      stream: (request, options) => {
        seen.push(options.signal);
        return inner.stream(request, options);
      },
    };
    for await (const _ of withDefaults(spy).stream(ask, { signal })) break;
    expect(seen.map((one) => one.aborted)).toEqual([true]);
  });

  it('fails with what stream() throws, not with an exception of next()', async () => {
    const broken: Model = {
      provider: 'broken',
      modelId: 'x',
      stream: () => {
        throw failure('authentication');
      },
    };
    expect((await failing(withDefaults(broken))).error).toMatchObject({ reason: 'authentication' });
  });
});

describe('timeout', () => {
  const quick = { retry: { maxRetries: 0 } };

  it.each([
    ['firstEventMs', { hang: true }],
    ['gapMs', { text: 'Hello', hang: true }],
    ['totalMs', { text: 'Hello', hang: true }],
  ] as const)('%s ends a call that takes longer, and aborts it', async (option, turn) => {
    const inner = scriptedModel([turn]);
    const { error } = await failing(timeout(inner, { [option]: 16 }));
    expect(error).toMatchObject({ code: 'model_timeout', reason: 'timeout', retryable: true });
    expect(error).toMatchObject({ message: expect.stringContaining(option) });
    expect(inner.running).toBe(0);
  });

  it('does not mind a reader that takes its time', async () => {
    const inner = scriptedModel(['Hello there, how are you?']);
    const events = [];
    for await (const event of timeout(inner, { gapMs: 8 }).stream(ask, { signal })) {
      events.push(event);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expect(events.at(-1)?.type).toBe('response');
  });

  it('inside retry() it is tried again', async () => {
    const inner = scriptedModel([{ text: 'Hal', hang: true }, 'Hello']);
    const model = retry(timeout(inner, { gapMs: 16 }), { initialDelayMs: 0 });
    expect(types(await read(model))).toEqual(['text-delta', 'restart', 'text-delta', 'response']);
  });

  it('comes with the defaults, by the settings of the request', async () => {
    const inner = scriptedModel([{ hang: true }]);
    const { error } = await failing(withDefaults(inner), withSettings({ ...quick, timeoutMs: 16 }));
    expect(error).toMatchObject({ reason: 'timeout', message: expect.stringContaining('16 ms') });
  });

  it('refuses limits that are not above 0', () => {
    expect(() => timeout(scriptedModel([]), { gapMs: 0 })).toThrow(UserError);
  });
});

describe('fallback', () => {
  it('goes on with the next model and says so', async () => {
    const a = named('a', [{ text: 'Hal', error: failure('content-filter'), breakAfter: 1 }]);
    const b = named('b', ['Hello']);
    const events = await read(fallback(a, b));
    expect(events[1]).toEqual({
      type: 'restart',
      reason: 'content-filter',
      attempt: 2,
      afterMs: 0,
      from: { provider: 'a', modelId: 'm' },
      to: { provider: 'b', modelId: 'm' },
    });
    expect(types(events)).toEqual(['text-delta', 'restart', 'text-delta', 'response']);
  });

  it('retries each model first', async () => {
    const a = named('a', () => failure('overloaded'));
    const b = named('b', ['Hello']);
    const request = withSettings({ retry: { maxRetries: 1, initialDelayMs: 0 } });
    await read(fallback(a, b), request);
    expect([a.calls, b.calls]).toEqual([2, 1]);
  });

  it('lists every model when all failed', async () => {
    const a = named('a', [failure('authentication')]);
    const b = named('b', [failure('context-length')]);
    const { error } = await failing(fallback(a, b));
    expect(error).toMatchObject({
      reason: 'context-length',
      retryable: false,
      message:
        'All 2 models failed. a/m (authentication): The server said authentication. | b/m (context-length): The server said context-length.',
    });
  });

  it('does not go on after an abort, nor after a bug', async () => {
    const abort = new AbortController();
    const a = named('a', [{ hang: true }]);
    const b = named('b', ['Hello']);
    const failed = failing(fallback(a, b), ask, abort.signal);
    abort.abort(new Error('enough'));
    expect((await failed).error).toMatchObject({ message: 'enough' });
    const buggy = named('a', [new TypeError('bug')]);
    expect((await failing(fallback(buggy, b))).error).toBeInstanceOf(TypeError);
    expect(b.calls).toBe(0);
  });

  it('is ready when one model is, and can what all can', () => {
    const a = scriptedModel([], { ready: 'A_KEY is not set.', capabilities: { images: true } });
    const b = scriptedModel([], { capabilities: { images: true, strictSchemas: false } });
    expect(fallback(a, b).ready?.()).toBeUndefined();
    expect(fallback(a, a).ready?.()).toBe('A_KEY is not set. A_KEY is not set.');
    expect(fallback(a, b).capabilities).toMatchObject({ images: true, strictSchemas: false });
  });

  it('refuses to have no model', () => {
    expect(() => fallback()).toThrow(UserError);
  });
});

describe('wrappers', () => {
  it('keep name, capabilities and readiness', () => {
    const inner = scriptedModel([], {
      provider: 'p',
      modelId: 'm',
      capabilities: { images: true },
      ready: 'P_KEY is not set.',
    });
    for (const model of [retry(inner), timeout(inner, {}), buffered(inner), withDefaults(inner)]) {
      expect(model).toMatchObject({ provider: 'p', modelId: 'm', capabilities: { images: true } });
      expect(model.ready?.()).toBe('P_KEY is not set.');
    }
  });

  it('withDefaults is made once, and adds nothing to a model that has retries', () => {
    const inner = scriptedModel([]);
    expect(withDefaults(inner)).toBe(withDefaults(inner));
    const retried = retry(inner);
    expect(withDefaults(retried)).toBe(retried);
    expect(withDefaults(buffered(retried)).provider).toBe('scripted');
    const both = fallback(inner, inner);
    expect(withDefaults(both)).toBe(both);
  });

  it('never nest retries', async () => {
    const inner = scriptedModel(() => failure('network'));
    const { sleep } = fakeSleep();
    const once = { ...retry(inner, { sleep }), modelId: 'renamed' };
    await failing(withDefaults(buffered(once)));
    expect(inner.calls).toBe(3);
  });

  it('buffered asks for one piece', async () => {
    const inner = scriptedModel(['Hello']);
    expect(types(await read(buffered(inner)))).toEqual(['response']);
    expect(inner.requests[0]?.settings.streaming).toBe(false);
  });
});

describe('readResponse', () => {
  it('pushes every event but the response, which it returns', async () => {
    const events: ModelStreamEvent[] = [];
    const inner = scriptedModel([
      { text: 'Hal', error: failure('network'), breakAfter: 1 },
      'Hello',
    ]);
    const response = await readResponse(inner, withSettings({ retry: { initialDelayMs: 0 } }), {
      signal,
      onEvent: (event) => events.push(event),
    });
    expect(types(events)).toEqual(['text-delta', 'restart', 'text-delta']);
    expect(response.parts).toEqual([{ type: 'text', text: 'Hello' }]);
  });

  it('leaves the model when the sink throws', async () => {
    const inner = scriptedModel(['Hello there']);
    const asked = readResponse(inner, ask, {
      signal,
      onEvent: () => {
        throw new Error('full');
      },
    });
    await expect(asked).rejects.toThrow('full');
    expect(inner.running).toBe(0);
  });

  it('ends while the model waits, when the signal fires', async () => {
    const abort = new AbortController();
    const before = gate();
    const inner = scriptedModel([{ text: 'Hello', before }]);
    const asked = readResponse(inner, ask, { signal: abort.signal, onEvent: () => undefined });
    await before.reached;
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    expect(inner.running).toBe(0);
  });
});

it('a wrapper may spread the options of a call: the signal is among them', async () => {
  const inner = scriptedModel(['Hi.']);
  const seen: unknown[] = [];
  const wrapped: Model = {
    provider: inner.provider,
    modelId: inner.modelId,
    stream(request, options) {
      const copy = { ...options };
      seen.push(copy.signal);
      return inner.stream(request, copy);
    },
  };
  const result = await new Runner(new Agent({ name: 'bot', model: wrapped })).run('Hi');
  expect(result.response).toBe('Hi.');
  expect(seen).toEqual([expect.any(AbortSignal)]);
});
