import type { FilePart, Message } from '../message.ts';
import type { ModelRequest } from '../model.ts';
import { equal, ok } from './assert.ts';
import {
  contractRequest,
  saidOrWarned,
  userMessage,
  warnsOf,
  weatherTool,
  type ModelCase,
} from './model-fixture.ts';
import { hello, helloText, report } from './model-replies.ts';
import type { ModelScenarioName } from './model-scenario.ts';

const odd = 'Grüße 🌧️ "quoted" \\ back\nline\u2028 </s> <|im_end|> {{x}} ${y}';
// A PNG of one pixel, and the shortest PDF that says what it is.
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
const pdf = 'JVBERi0xLjQKJSVFT0YK';

/** What a model sends: its texts, settings and files. */
export function requestContract(it: ModelCase): void {
  it('sends the instructions', { name: 'instructions', replies: [hello] }, async (test) => {
    await test.ask({ instructions: `Be brief. ${odd}` });
    equal(test.sent().instructions, `Be brief. ${odd}`, 'the instructions');
  });

  it(
    'sends a system message that stands in the conversation',
    { name: 'system-message', replies: [hello] },
    async (test) => {
      const system: Message = {
        id: 's',
        role: 'system',
        parts: [{ type: 'text', text: 'Speak of Oslo only.' }],
      };
      const messages = [userMessage('Hello?', 'u1'), system, userMessage('And now?', 'u2')];
      await test.ask({ instructions: 'Be brief.', messages });
      const { instructions, messages: sent } = test.sent();
      const all = [instructions, ...sent.map(({ text }) => text)].join('\n');
      for (const text of ['Be brief.', 'Speak of Oslo only.', 'Hello?', 'And now?']) {
        ok(all.includes(text), `sent: ${text}`);
      }
    },
  );

  const settings = { temperature: 0.25, topP: 0.75, seed: 7, maxTokens: 321, stop: ['END'] };
  for (const [name, names] of [
    ['sampling', ['temperature', 'topP', 'seed']],
    ['max-tokens', ['maxTokens']],
    ['stop', ['stop']],
  ] as const) {
    it(`sends ${names.join(', ')}, or warns`, { name, replies: [hello] }, async (test) => {
      for (const setting of names) {
        const { events } = await test.ask({ settings: { [setting]: settings[setting] } });
        saidOrWarned(events, setting, test.sent()[setting], settings[setting]);
      }
    });
  }

  it(
    'sends options of its own vendor and no other’s',
    { name: 'provider-options', replies: [hello] },
    async (test) => {
      const { name, value } = test.option ?? { name: 'x_contract', value: 'yes' };
      const providerOptions = {
        [test.model.provider]: { [name]: value },
        'another-vendor': { x_other: 'foreign-option' },
      };
      await test.ask({ settings: { providerOptions } });
      const body = JSON.stringify(test.requests()[0]);
      ok(body.includes(`"${name}":${JSON.stringify(value)}`), `${name} is sent: ${body}`);
      ok(!body.includes('foreign-option'), 'the other vendor’s is not');
    },
  );

  it('sends a text as it is', { name: 'exact-request', replies: [hello] }, async (test) => {
    await test.ask({ messages: [userMessage(odd, 'u1')] });
    equal(test.sent().messages.at(-1), { role: 'user', text: odd }, 'the message');
  });

  it(
    'changes nothing of a request, and sends the same bytes for the same',
    { name: 'frozen-request', replies: [hello] },
    async (test) => {
      const request = frozen(whole());
      equal((await test.ask(request)).text, helloText, 'the text');
      equal((await test.ask(request)).text, helloText, 'the text, asked again');
      equal(request, whole(), 'the request');
    },
  );

  it(
    'sends the same bytes for the same request, so that vendors can cache it',
    { name: 'stable-bytes', replies: [hello] },
    async (test) => {
      await test.ask(whole());
      await test.ask(whole());
      const [first, second] = test.requests().map((body) => JSON.stringify(body));
      ok(first === second, `the same bytes:\n  ${first}\n  ${second}`);
    },
  );

  const files: readonly [ModelScenarioName, string, FilePart][] = [
    ['image-data', 'an image', { type: 'file', mediaType: 'image/png', data: png }],
    [
      'image-url',
      'the address of an image',
      { type: 'file', mediaType: 'image/png', url: 'https://example.com/sky.png' },
    ],
    [
      'document',
      'a document',
      { type: 'file', mediaType: 'application/pdf', data: pdf, name: 'report.pdf' },
    ],
    [
      'odd-file',
      'a file of a kind that few know',
      { type: 'file', mediaType: 'application/x-contract', data: 'AAAA', name: 'a.odd' },
    ],
  ];
  for (const [name, title, part] of files) {
    it(`sends ${title}, or warns`, { name, replies: [hello] }, async (test) => {
      const { events } = await test.ask({ messages: [showing(part)] });
      const sent = test
        .sent()
        .files.some(({ data, url }) =>
          part.data === undefined ? url === part.url : data === part.data,
        );
      ok(
        sent || warnsOf(events).includes('unsupported-part'),
        `the file is sent, or an unsupported-part warning says that it is not`,
      );
      ok(
        test.sent().messages.some(({ text }) => text.includes('What is this?')),
        'the text is sent',
      );
    });
  }

  it(
    'warns of a file that only another vendor has',
    { name: 'foreign-file', replies: [hello] },
    async (test) => {
      const providerData = { 'another-vendor': { file_id: 'foreign-file-id' } };
      const part: FilePart = { type: 'file', mediaType: 'image/png', providerData };
      const { events } = await test.ask({ messages: [showing(part)] });
      ok(warnsOf(events).includes('unsupported-part'), 'an unsupported-part warning');
      ok(!JSON.stringify(test.requests()[0]).includes('foreign-file-id'), 'its id is not sent');
    },
  );
}

function showing(part: FilePart): Message {
  return {
    id: 'u1',
    runId: 'run-1',
    role: 'user',
    parts: [{ type: 'text', text: 'What is this?' }, part],
  };
}

/** A request with something of everything. */
function whole(): ModelRequest {
  return contractRequest({
    instructions: 'Be brief.',
    tools: [weatherTool],
    output: report,
    settings: { temperature: 0.5, maxTokens: 100, toolChoice: 'auto' },
    messages: [
      userMessage('How is the weather?', 'u1'),
      {
        id: 'a1',
        runId: 'run-1',
        role: 'assistant',
        parts: [
          {
            type: 'tool-call',
            callId: 'f0.t1.c1',
            toolName: 'get_weather',
            input: { city: 'Oslo' },
          },
        ],
      },
      {
        id: 'r1',
        runId: 'run-1',
        role: 'tool',
        parts: [
          {
            type: 'tool-result',
            callId: 'f0.t1.c1',
            toolName: 'get_weather',
            output: { type: 'json', value: { weather: 'rain' } },
          },
        ],
      },
    ],
  });
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const field of Object.values(value)) frozen(field);
    Object.freeze(value);
  }
  return value;
}
