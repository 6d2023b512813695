import { existsSync, statSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';

/** An app file that is there. */
export interface Entry {
  readonly file: string;
  /** The folder of the nearest `package.json`, else the file's own. Settings and the store are there. */
  readonly folder: string;
}

const usual = ['app', 'index', 'main'].flatMap((name) =>
  ['src', '.'].flatMap((folder) =>
    ['ts', 'mts', 'js', 'mjs'].map((extension) => join(folder, `${name}.${extension}`)),
  ),
);

/** Finds the app file, and says what to do when it cannot be served. */
export function findEntry(
  asked: string | undefined,
  from: string,
): { readonly entry: Entry } | { readonly problem: string } {
  const path = resolve(from, asked ?? '.');
  if (!existsSync(path)) {
    return {
      problem: `There is no file ${asked}. Name the file that exports your app: agent-functions dev src/app.ts`,
    };
  }
  const file = statSync(path).isDirectory()
    ? usual.map((name) => join(path, name)).find((each) => existsSync(each))
    : path;
  if (file === undefined) {
    return {
      problem: `There is no app file in ${asked ?? 'this folder'} (looked for src/app.ts, app.ts, src/index.ts …). Name it: agent-functions dev path/to/app.ts`,
    };
  }
  const problem = runnable(file, from);
  return problem === undefined ? { entry: { file, folder: packageFolder(file) } } : { problem };
}

function runnable(file: string, from: string): string | undefined {
  const name = relative(from, file);
  const extension = extname(file);
  if (['.js', '.mjs', '.cjs'].includes(extension)) return undefined;
  if (!['.ts', '.mts', '.cts'].includes(extension)) {
    return `${name} is neither TypeScript nor JavaScript. Name the file that exports your app.`;
  }
  if (process.features.typescript !== false) return undefined;
  return `${name} is TypeScript, which Node runs as it is from 22.18 on; this is ${process.version}. Update Node, or name the compiled JavaScript file.`;
}

function packageFolder(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) return dirname(file);
  }
}
