import type { Message, ProviderData } from '../message.ts';
import type { ModelPart, ModelResponse } from '../model.ts';
import { equal, ok } from './assert.ts';
import { callsOf, userMessage, warnsOf, weatherTool, type ModelCase } from './model-fixture.ts';
import { hello, helloText, report } from './model-replies.ts';
import type { ServerAnswer } from './model-scenario.ts';

const json: ServerAnswer = { type: 'answer', text: ['{"cels', 'ius":7}'], finish: 'stop' };
const proof = 'proof-0123456789abcdefABCDEF==';
const thinking: ServerAnswer = {
  ...hello,
  reasoning: { text: ['They ask ', 'of rain.'], proof },
};
const calls = [{ id: 'call_1', toolName: 'get_weather', input: '{"city":"Oslo"}' }];

/** What a model makes of forms of an answer, and of what was thought before it. */
export function formContract(it: ModelCase): void {
  it(
    'asks for the form of the answer and gives it as text',
    { name: 'structured-output', replies: [json] },
    async (test) => {
      const { text } = await test.ask({ output: report });
      equal(JSON.parse(text), { celsius: 7 }, 'the answer');
      ok(JSON.stringify(test.sent().output ?? null).includes('celsius'), 'the schema is sent');
    },
  );

  it(
    'gives the form of an answer in one piece',
    { name: 'structured-output-one-piece', replies: [json] },
    async (test) => {
      const { text } = await test.ask({ output: report, settings: { streaming: false } });
      equal(JSON.parse(text), { celsius: 7 }, 'the answer');
      ok(JSON.stringify(test.sent().output ?? null).includes('celsius'), 'the schema is sent');
    },
  );

  it(
    'asks for a form beside tools, or warns',
    {
      name: 'structured-output-with-tools',
      replies: [{ type: 'answer', calls, finish: 'tool-calls' }, json],
    },
    async (test) => {
      const request = { tools: [weatherTool], output: report };
      const first = await test.ask(request);
      equal(callsOf(first.response).length, 1, 'the call');
      equal(test.sent().tools.includes('get_weather'), true, 'the tool is sent');
      ok(
        test.sent().output !== undefined || warnsOf(first.events).length > 0,
        'the schema is sent, or a warning says that it is not',
      );
      const { text } = await test.ask({ ...request, messages: answered(first.response) });
      equal(JSON.parse(text), { celsius: 7 }, 'the answer');
    },
  );

  it(
    'tells what was thought from what is said',
    { name: 'reasoning', replies: [thinking] },
    async (test) => {
      const { events, response, text } = await test.ask();
      equal(text, helloText, 'the text');
      const types = response.parts.map(({ type }) => type);
      equal(
        types.indexOf('reasoning') < types.indexOf('text'),
        true,
        `thoughts first: ${types.join(' ')}`,
      );
      const [part] = response.parts.filter(({ type }) => type === 'reasoning');
      ok(part?.type === 'reasoning', 'a reasoning part');
      equal(part.text, 'They ask of rain.', 'the thoughts');
      const shown = events.map(({ type }) => type).filter((type) => type.endsWith('-delta'));
      equal(shown[0], 'reasoning-delta', 'thoughts stream, before the text');
    },
  );

  it(
    'gives what was thought in an answer in one piece',
    { name: 'reasoning-one-piece', replies: [thinking] },
    async (test) => {
      const { response, text } = await test.ask({ settings: { streaming: false } });
      equal(text, helloText, 'the text');
      const [part] = response.parts.filter(({ type }) => type === 'reasoning');
      ok(part?.type === 'reasoning' && part.text === 'They ask of rain.', 'the thoughts');
    },
  );

  it(
    'gives the vendor its thoughts back as they were, and no other vendor’s',
    { name: 'reasoning-round-trip', replies: [thinking, hello, hello] },
    async (test) => {
      const { response } = await test.ask();
      await test.ask({ messages: talk(response.parts) });
      ok(JSON.stringify(test.requests()[1]).includes(proof), 'the proof is sent back');
      await test.ask({ messages: talk(response.parts.map(elsewhere)) });
      ok(!JSON.stringify(test.requests()[2]).includes(proof), 'another vendor’s proof is not');
    },
  );

  it(
    'gives thoughts back between a call and its result',
    {
      name: 'reasoning-with-tools',
      replies: [{ ...thinking, text: undefined, calls, finish: 'tool-calls' }, hello],
    },
    async (test) => {
      const first = await test.ask({ tools: [weatherTool] });
      await test.ask({ tools: [weatherTool], messages: answered(first.response) });
      const body = JSON.stringify(test.requests()[1]);
      ok(body.includes(proof), 'the proof is sent back');
      ok(body.includes('rain, 7 °C'), 'the result is sent');
    },
  );
}

function withIds(parts: readonly ModelPart[]): Message['parts'] {
  let index = 0;
  return parts.map((part) =>
    part.type === 'tool-call' ? { ...part, callId: `f0.t1.c${++index}` } : part,
  );
}

/** The conversation after an answer, and one more question. */
function talk(parts: readonly ModelPart[]): readonly Message[] {
  return [
    userMessage('How is the weather?', 'u1'),
    { id: 'f0.t1', runId: 'run-1', role: 'assistant', parts: withIds(parts) },
    userMessage('And tomorrow?', 'u2'),
  ];
}

/** The conversation after an answer with calls, each with a result. */
function answered(response: ModelResponse): readonly Message[] {
  return [
    userMessage('How is the weather?', 'u1'),
    { id: 'f0.t1', runId: 'run-1', role: 'assistant', parts: withIds(response.parts) },
    {
      id: 'f0.t1.r',
      runId: 'run-1',
      role: 'tool',
      parts: callsOf(response).map(({ toolName }, index) => ({
        type: 'tool-result',
        callId: `f0.t1.c${index + 1}`,
        toolName,
        output: { type: 'json', value: 'rain, 7 °C' },
      })),
    },
  ];
}

/** The same part as another vendor would have left it. */
function elsewhere(part: ModelPart): ModelPart {
  const { providerData } = part;
  if (providerData === undefined) return part;
  const moved: ProviderData = Object.fromEntries(
    Object.values(providerData).map((data) => ['another-vendor', data]),
  );
  return { ...part, providerData: moved };
}
