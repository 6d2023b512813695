import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** What settings a folder holds, and what could not be read. */
export interface Settings {
  readonly values: Readonly<Record<string, string>>;
  /** The files that were read, by name. */
  readonly files: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Reads `local.settings.json` (its `Values`, as the Functions tools do) and `.env` of a folder. A name in both has the
 * value of `local.settings.json`, which is what the Functions host sees.
 */
export function readSettings(folder: string): Settings {
  const files: string[] = [];
  const problems: string[] = [];
  const read = (
    name: string,
    parse: (text: string) => Record<string, string>,
  ): Record<string, string> => {
    const text = readText(join(folder, name));
    if (text === undefined) return {};
    try {
      const values = parse(text);
      files.push(name);
      return values;
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return {};
    }
  };
  const local = read('local.settings.json', localSettings);
  const dotenv = read('.env', dotEnv);
  return { values: { ...dotenv, ...local }, files, problems };
}

/** Sets what is not set yet; the environment that is there wins. Answers the names that it set. */
export function applySettings(
  values: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv,
): readonly string[] {
  const names = Object.keys(values).filter((name) => environment[name] === undefined);
  for (const name of names) environment[name] = values[name];
  return names;
}

function localSettings(text: string): Record<string, string> {
  const parsed: unknown = JSON.parse(text);
  if (!isRecord(parsed)) throw new Error('it must be a JSON object with a key Values.');
  if (parsed['IsEncrypted'] === true) {
    throw new Error('it is encrypted. Decrypt it first: func settings decrypt');
  }
  const values = parsed['Values'] ?? {};
  if (!isRecord(values)) throw new Error('Values must be an object of names and texts.');
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      if (typeof value === 'string') return [name, value];
      if (typeof value === 'number' || typeof value === 'boolean') return [name, String(value)];
      throw new Error(`Values.${name} must be a text.`);
    }),
  );
}

function dotEnv(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseEnv(text))) {
    if (value !== undefined) values[name] = value;
  }
  return values;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
