import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.ts';
import { commonKinds, defaultSettings, optionText } from './common-options.ts';
import { checkOptions, oneOf, optionKinds, withMethods, type OptionKinds } from './option-kinds.ts';

const kinds: OptionKinds = {
  ...commonKinds,
  names: optionKinds.texts,
  only: oneOf('one'),
  mode: oneOf('fast', 'slow', false),
  client: withMethods('a client', ['post', 'get'], ['api']),
};
const check = (options: object) => () => checkOptions('acme()', options, kinds, { other: 'No.' });

it.each<[string, unknown, string]>([
  [
    'baseURL',
    new URL('https://u:secret@gateway.example'),
    "baseURL: a URL. Write the address as a text, such as 'https://example.com/v1' (of a URL object: url.href).",
  ],
  ['baseURL', 8080, 'baseURL: 8080. Write the address'],
  ['apiBase', '', 'apiBase: "". Write the address'],
  ['endpoint', ' ', 'endpoint: " ". Write the address'],
  ['apiKey', 12_345, 'apiKey: a number. Write the key as a text.'],
  ['apiKey', { secret: 's' }, 'apiKey: an object. Write'],
  ['apiKey', false, 'apiKey: false. Write'],
  [
    'headers',
    'x-secret: s',
    "headers: a text. Write an object of texts, such as { 'x-team': 'blue'",
  ],
  ['headers', new Headers({ 'x-a': '1' }), 'headers: a Headers. Write'],
  ['headers', new Map([['x-a', '1']]), 'headers: a Map. Write'],
  ['headers', { 'x-a': 1 }, 'headers: an object whose "x-a" is no text. Write'],
  ['headers', { 'x a': '1' }, 'headers: an object whose "x a" is no name of a header. Write'],
  ['extraHeaders', [['x-a', '1']], 'extraHeaders: an array. Write'],
  ['extraBody', 'user=u', 'extraBody: "user=u". Write an object with fields'],
  ['extraBody', [], 'extraBody: an array. Write'],
  ['timeoutMs', '5s', 'timeoutMs: "5s". Write a number.'],
  ['maxRetries', null, 'maxRetries: null. Write a number.'],
  ['maxRetries', Number.NaN, 'maxRetries: NaN. Write a number.'],
  ['fetch', 'node-fetch', 'fetch: "node-fetch". Write a function'],
  ['names', 'one', 'names: "one". Write a list of texts, such as [\'one\'].'],
  ['names', ['one', 2], 'names: an array. Write a list of texts'],
  ['only', 'two', 'only: "two". It is \'one\'.'],
  ['mode', true, "mode: true. It is 'fast', 'slow' or false."],
  ['client', null, 'client: null. Write a client: it has api.post() and api.get().'],
  ['client', { api: { post() {} } }, 'client: an object. Write a client'],
  ['client', { post() {}, get() {} }, 'client: an object. Write a client'],
])('refuses %s: %o', (name, value, words) => {
  expect(check({ [name]: value })).toThrow(UserError);
  expect(check({ [name]: value })).toThrow(`acme() got ${words}`);
});

it.each(['a\nb', 'a\rb', 'long – dash', '\u0000'])(
  'refuses %j as the value of a header',
  (value) => {
    const options = { headers: { 'x-fine': 'é', 'x-token': `secret${value}` } };
    expect(check(options)).toThrow(
      'acme() got headers: an object whose "x-token" has a character that no header can carry, such as a line break or a long dash. Write an object of texts',
    );
    expect(check(options)).not.toThrow('secret');
  },
);

describe('settings', () => {
  it.each<[unknown, string]>([
    ['hot', '"hot". Write an object with temperature, topP,'],
    [[], 'an array. Write an object with temperature'],
    [{ temprature: 1 }, 'an object with "temprature". It may have temperature, topP, maxTokens,'],
    [{ temperature: '1' }, 'an object whose temperature is "1". Write a number.'],
    [{ topP: Number.NaN }, 'an object whose topP is NaN. Write a number.'],
    [{ stop: 'END' }, 'an object whose stop is "END". Write a list of texts'],
    [
      { toolChoice: 'any' },
      "an object whose toolChoice is \"any\". Write 'auto', 'required', 'none'",
    ],
    [{ parallelToolCalls: 1 }, 'an object whose parallelToolCalls is 1. It is true or false.'],
    [{ reasoning: 'high' }, 'an object whose reasoning is "high". Write an object with effort.'],
    [
      { reasoning: { effort: 'max' } },
      "an object whose reasoning is an object whose effort is \"max\". It is 'none', 'minimal'",
    ],
    [
      { retry: { times: 2 } },
      'an object whose retry is an object with "times". It may have maxRet',
    ],
    [{ providerOptions: { acme: 'x' } }, 'an object whose providerOptions is an object. Write'],
  ])('with a wrong member are refused: %o', (settings, words) => {
    expect(check({ settings })).toThrow(`acme() got settings: ${words}`);
  });

  it('may have every member there is', () => {
    const settings = {
      temperature: 0,
      topP: 1,
      maxTokens: 5,
      stop: ['END'],
      seed: 7,
      toolChoice: { name: 'look' },
      parallelToolCalls: false,
      reasoning: { effort: 'low' },
      timeoutMs: 5,
      retry: { maxRetries: 0, initialDelayMs: 1, maxDelayMs: undefined },
      streaming: false,
      providerOptions: { acme: { tier: 'flex' } },
    };
    expect(check({ settings })).not.toThrow();
  });
});

it.each([
  ['temprature', 'Fields of the request body go into extraBody, headers into headers.'],
  ['toString', 'Fields of the request body go into extraBody'],
  ['other', 'No.'],
])('refuses %s, which there is not', (name, words) => {
  expect(check({ [name]: 1 })).toThrow(`acme() has no option "${name}". ${words}`);
});

it('asks for the unit of a timeout', () => {
  expect(check({ timeout: 5 })).toThrow('Write timeoutMs, in milliseconds.');
});

it('takes an option that is undefined for one that is not given', () => {
  expect(check({ baseURL: undefined, headers: undefined, temprature: undefined })).not.toThrow();
});

it('lets settings win over the names of an LLMConfig', () => {
  expect(
    defaultSettings({
      temperature: 1,
      maxTokens: 5,
      timeoutMs: 9,
      maxRetries: 0,
      settings: { maxTokens: 6 },
    }),
  ).toEqual({ temperature: 1, maxTokens: 6, timeoutMs: 9, retry: { maxRetries: 0 } });
  expect(defaultSettings({})).toEqual({});
});

it('takes an empty text for none', () => {
  expect([' a ', ' ', '', 7].map(optionText)).toEqual(['a', undefined, undefined, undefined]);
});
