import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { applySettings, readSettings } from './settings.ts';

let folder = '';
afterEach(() => rmSync(folder, { recursive: true }));

function given(files: Readonly<Record<string, string>>): string {
  folder = mkdtempSync(join(tmpdir(), 'settings-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

test('a folder without settings has none, and that is no problem', () => {
  expect(readSettings(given({}))).toEqual({ values: {}, files: [], problems: [] });
});

test('numbers and booleans are texts, as in an environment; a byte order mark is skipped', () => {
  const settings = readSettings(
    given({ 'local.settings.json': '\uFEFF{"Values": {"A": 1, "B": true, "C": "x"}}' }),
  );
  expect(settings.values).toEqual({ A: '1', B: 'true', C: 'x' });
});

test.for([
  ['{"Values": {"A": {"nested": 1}}}', 'Values.A must be a text.'],
  ['{"Values": [1]}', 'Values must be an object'],
  ['{"IsEncrypted": true, "Values": {}}', 'func settings decrypt'],
  ['{"Values": ', 'local.settings.json: '],
  ['[]', 'must be a JSON object'],
])('%s is a problem that says what to do, not a crash', ([text = '', sentence = '']) => {
  const { values, problems } = readSettings(given({ 'local.settings.json': text, '.env': 'B=1' }));
  expect(problems).toEqual([expect.stringContaining(sentence)]);
  expect(values).toEqual({ B: '1' });
});

test('what the environment has is left alone', () => {
  given({});
  const environment: NodeJS.ProcessEnv = { A: 'mine', EMPTY: '' };
  expect(applySettings({ A: 'file', B: 'file', EMPTY: 'file' }, environment)).toEqual(['B']);
  expect(environment).toEqual({ A: 'mine', B: 'file', EMPTY: '' });
});
