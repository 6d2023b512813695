import { ToolContent } from '@agent-functions/core';
import { expect, test } from 'vitest';
import { errorTextOf, fromResult } from './from-result.ts';
import { toLogLevel, toLogText } from './server-log.ts';

/** What core makes of it: parts, or JSON. */
function mapped(result: unknown): unknown {
  const value = fromResult(result);
  return value instanceof ToolContent ? value.parts : value;
}

const text = (said: string) => ({ type: 'text', text: said });

test('one text is a text, several are parts, nothing is null', () => {
  expect(mapped({ content: [text('one')] })).toBe('one');
  expect(mapped({ content: [text('one'), text('two')] })).toEqual([text('one'), text('two')]);
  expect(mapped({ content: [] })).toBeNull();
  expect(mapped({})).toBeNull();
  expect(mapped(undefined)).toBeNull();
});

test('images, audio and files are file parts; what has no data is left out', () => {
  expect(
    mapped({
      content: [
        { type: 'image', mimeType: 'image/png', data: 'aGk=' },
        { type: 'audio', mimeType: 'audio/wav', data: 'aGk=' },
        { type: 'resource', resource: { uri: 'file:///a.bin', blob: 'aGk=' } },
        { type: 'image', mimeType: 'image/png' },
      ],
    }),
  ).toEqual([
    { type: 'file', mediaType: 'image/png', data: 'aGk=' },
    { type: 'file', mediaType: 'audio/wav', data: 'aGk=' },
    { type: 'file', mediaType: 'application/octet-stream', data: 'aGk=', name: 'file:///a.bin' },
  ]);
});

test('resources are texts with where they are from, links are texts that nobody follows', () => {
  expect(
    mapped({
      content: [
        { type: 'resource', resource: { uri: 'note://1', text: 'Milk.' } },
        { type: 'resource_link', uri: 'https://internal/', name: 'plan', mimeType: 'text/html' },
        { type: 'hologram', shape: 'cube' },
      ],
    }),
  ).toEqual([
    text('Resource note://1:\nMilk.'),
    text('Resource https://internal/ (plan, text/html)'),
    text('{"type":"hologram","shape":"cube"}'),
  ]);
});

test('structured content is the result; what the text says beside it is kept', () => {
  const structuredContent = { celsius: 7, sky: ['grey'] };
  const same = text('{ "sky": ["grey"], "celsius": 7 }');
  expect(mapped({ structuredContent, content: [same] })).toEqual(structuredContent);
  expect(mapped({ structuredContent })).toEqual(structuredContent);
  expect(mapped({ structuredContent, content: [text('Cold.')] })).toEqual([
    text('Cold.'),
    text('{"celsius":7,"sky":["grey"]}'),
  ]);
  // Servers before the protocol had content.
  expect(mapped({ toolResult: { old: true } })).toEqual({ old: true });
});

test('an error is what the server said of it', () => {
  expect(errorTextOf({ content: [text('No disk.'), text('Buy one.')] })).toBe('No disk.\nBuy one.');
  expect(errorTextOf({ structuredContent: { code: 5 } })).toBe('{"code":5}');
  expect(errorTextOf({ content: [] })).toBe('it gave no reason');
});

test('what a server logs is one line at one of our levels', () => {
  expect(['debug', 'info', 'notice', 'warning', 'error', 'alert'].map(toLogLevel)).toEqual([
    'debug',
    'info',
    'info',
    'warn',
    'error',
    'error',
  ]);
  expect(toLogText('one\n two')).toBe('one two');
  expect(toLogText({ a: 1 })).toBe('{"a":1}');
  expect(toLogText('x'.repeat(5_000))).toHaveLength(1_000);
});
