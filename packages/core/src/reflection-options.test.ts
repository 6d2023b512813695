import { expect, test } from 'vitest';
import { Agent } from './agent.ts';
import { ReflectionAgent } from './reflection-agent.ts';
import type { ReflectionOptions } from './reflection.ts';
import { Runner } from './runner.ts';
import { scriptedModel } from './testing/index.ts';
import { scored } from '../test/reflection-world.ts';

const judged = () => 0.5;

test.each([
  [{ enableSelfEvaluation: false }, /nobody judges.*enableSelfEvaluation is false.*Give one/],
  [{ reflectionThreshold: 1.1 }, /reflectionThreshold of agent writer is 1\.1.*0 to 1/],
  [{ reflectionThreshold: -0.1 }, /-0\.1/],
  [{ reflectionThreshold: Number.NaN }, /NaN/],
  [{ reflectionThreshold: '0.8' }, /"0\.8"/],
  [{ maxReflectionIterations: -1 }, /maxReflectionIterations of agent writer is -1/],
  [{ maxReflectionIterations: 1.5 }, /1\.5/],
  [{ maxReflectionIterations: Infinity }, /Infinity/],
  [{ criteria: [] }, /criteria of agent writer/],
  [{ criteria: ['a', 'a'] }, /different names/],
  [{ criteria: [''] }, /criteria/],
  [{ criteria: 'quality' }, /criteria/],
  [{ evaluationFunction: 'judge' }, /evaluationFunction of agent writer is "judge"/],
  [{ evaluationFunction: judged, evaluationPrompt: 'Judge.' }, /evaluationPrompt.*no model judges/],
  [
    { evaluationFunction: judged, criteria: ['a'], evaluationModel: 'a/b' },
    /criteria and evaluationModel.*leave them out/,
  ],
  [{ threshold: 0.5 }, /unknown option "threshold"/],
])('%j is refused with a sentence', (options, message) => {
  // Plain JavaScript may write anything.
  const given: ReflectionOptions = Object(options);
  expect(() => new ReflectionAgent({ name: 'writer', ...given })).toThrow(message);
  const agent = new ReflectionAgent({ name: 'writer' });
  expect(() => agent.configureReflection(given)).toThrow(message);
});

test('the options of a ReflectionAgent mean nothing to another agent', () => {
  const options = { name: 'writer', reflectionThreshold: 0.5 };
  expect(() => new Agent(options)).toThrow('unknown option "reflectionThreshold"');
});

function writer(options: ReflectionOptions = {}) {
  const model = scriptedModel(() => 'Draft.');
  const judge = scriptedModel(() => scored(0.5));
  const all = { criteria: ['quality'], evaluationModel: judge, ...options };
  return { model, judge, agent: new ReflectionAgent({ name: 'writer', model, ...all }) };
}

test('configureReflection changes what it names, before the first run', async () => {
  const { agent, model, judge } = writer({ maxReflectionIterations: 2 });
  expect(agent.configureReflection({ reflectionThreshold: 0.4 })).toBe(agent);
  expect((await agent.chat('Write.')).reflection).toMatchObject({ score: 0.5, iterations: 0 });
  expect([model.calls, judge.calls]).toEqual([1, 1]);
  expect(() => agent.configureReflection({ reflectionThreshold: 0.9 })).toThrow(
    /configureReflection\(\) came after the first run of agent writer/,
  );
  expect((await agent.chat('Write.')).reflection?.iterations).toBe(0);
});

test('what configureReflection refused has changed nothing', async () => {
  const { agent } = writer({ maxReflectionIterations: 1 });
  const wrong = { reflectionThreshold: 7, maxReflectionIterations: 0 };
  expect(() => agent.configureReflection(wrong)).toThrow('7');
  expect((await agent.chat('Write.')).reflection?.iterations).toBe(1);
});

test('configureReflection puts a function in place of the model', async () => {
  const { agent, judge } = writer();
  agent.configureReflection({
    evaluationFunction: () => 0.95,
    evaluationModel: undefined,
    criteria: undefined,
  });
  expect((await agent.chat('Write.')).reflection?.score).toBe(0.95);
  expect(judge.calls).toBe(0);
});

test('a clone reflects as its original does, and may be changed', async () => {
  const { agent, judge } = writer({ maxReflectionIterations: 1 });
  agent.configureReflection({ maxReflectionIterations: 2 });
  const before = await agent.chat('Write.');
  const copy = agent.clone({ name: 'copy' });
  const changed = agent.clone({ reflectionThreshold: 0.5 });
  copy.configureReflection({ evaluationPrompt: 'Judge.' });
  expect(copy).toBeInstanceOf(ReflectionAgent);
  expect(before.reflection?.iterations).toBe(2);
  expect((await copy.chat('Write.')).reflection?.iterations).toBe(2);
  expect(judge.requests.at(-1)?.instructions).toBe('Judge.');
  expect((await changed.chat('Write.')).reflection?.iterations).toBe(0);
});

test('a judge that cannot be found fails the run with what to set, instead of never judging', async () => {
  const { agent } = writer({ evaluationModel: 'nobody/knows' });
  const { status, error } = await new Runner(agent).run('Write.');
  expect(status).toBe('failed');
  expect(error).toMatchObject({
    code: 'not_configured',
    message: expect.stringContaining('nobody/knows'),
  });
});

test('the head of a chain says nothing that could be judged', async () => {
  const last = new Agent({ name: 'last', model: scriptedModel(['Done.']) });
  const head = new ReflectionAgent({
    name: 'head',
    model: scriptedModel(['Never.']),
    handoffConfig: { mode: 'sequential', targets: [{ agent: last }] },
  });
  await expect(new Runner(head).run('Go.')).rejects.toThrow(
    "Agent head is a ReflectionAgent with mode 'sequential'",
  );
});
