import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/agent-functions.mjs', import.meta.url));
const modules = fileURLToPath(new URL('../node_modules', import.meta.url));

/** A folder with an app in it, as a user would have it, outside the workspace but with its packages. */
export class AppFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'agent-functions-cli-'));

  constructor(files: Readonly<Record<string, string>>) {
    symlinkSync(modules, join(this.path, 'node_modules'), 'dir');
    this.write('package.json', JSON.stringify({ name: 'app', type: 'module' }));
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  write(name: string, text: string): void {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** `agent-functions …` as a process, with what it wrote. */
export class Dev implements AsyncDisposable {
  readonly process: ChildProcess;
  output = '';

  constructor(
    args: readonly string[],
    options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
  ) {
    const env = Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^(?:OPENAI|AZURE|OLLAMA|VITEST|FORCE_COLOR)/.test(name),
      ),
    );
    this.process = spawn(process.execPath, [bin, ...args], {
      cwd: options.cwd,
      env: { ...env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const hear = (bytes: Buffer): void => void (this.output += bytes.toString());
    this.process.stdout?.on('data', hear);
    this.process.stderr?.on('data', hear);
  }

  /** Waits until the output matches, `times` times in all. */
  async says(text: RegExp, times = 1): Promise<RegExpMatchArray> {
    const all = new RegExp(text.source, 'g');
    return until(
      () => [...this.output.matchAll(all)][times - 1],
      () => `never said ${text} ${times} times:\n${this.output}`,
    );
  }

  /** The URL it serves at, after it was loaded `times` times. */
  async url(times = 1): Promise<string> {
    const [, url = ''] = await this.says(/agent-functions dev {2}(http:\S+)/, times);
    return url;
  }

  async exitCode(): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      await once(this.process, 'exit');
    }
    return this.process.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGTERM');
    await this.exitCode();
  }
}

/** Polls for a condition; fails with what was there instead after 15 seconds. */
export async function until<T>(
  look: () => T | undefined | false,
  failure: () => string,
): Promise<T> {
  const end = Date.now() + 15_000;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(failure());
    await wait(20);
  }
}

/** Whether something accepts connections there. */
export async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url);
    return true;
  } catch {
    return false;
  }
}

/** The ids of the processes whose command line names this folder. */
export function processesOf(folder: string): readonly number[] {
  return commandLines()
    .filter(([, line]) => line.includes(folder))
    .map(([id]) => id);
}

/** From `/proc` where there is one: a small container has no `ps`. */
function commandLines(): readonly (readonly [id: number, line: string])[] {
  if (!existsSync('/proc/self/cmdline')) {
    return execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
      .split('\n')
      .map((line) => [Number.parseInt(line, 10), line]);
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), readCommandLine(name)]);
}

function readCommandLine(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It ended in between.
    return '';
  }
}
