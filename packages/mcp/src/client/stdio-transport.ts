import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { TextDecoder } from 'node:util';
import { AgentError, type Logger } from '@agent-functions/core';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { LastWords } from './last-words.ts';
import { idAtEdges, Lines } from './lines.ts';
import { programOf } from './program.ts';
import { tooLarge, tooLargeText } from './stand-in.ts';
import type { StdioReach } from './settings.ts';
import { guard, signalGroup } from './watchdog.ts';

/** The SDK's reader of messages, and the variables that a child may inherit. */
export interface StdioParts {
  readonly parse: (message: unknown) => JSONRPCMessage;
  readonly environment: () => { readonly [name: string]: string };
}

/** How long a server may take to end when its stdin has, and again when it was asked to terminate. */
const graceMs = 1_000;
const lastWordsMs = 500;

/**
 * For systems with process groups: a server that is a process of its own, in a group of its own, so that what it starts (`npx`, shells) ends with it.
 * It has `stderr` and `pid`, by which the SDK knows it for a local pipe.
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  readonly #reach: StdioReach;
  readonly #parts: StdioParts;
  readonly #limits: { readonly maxMessageBytes: number };
  readonly #log: (level: 'debug', line: string) => void;
  #child: ChildProcess | undefined;
  #closed = false;
  readonly #lastWords = new LastWords();
  #died: string | undefined;

  constructor(
    reach: StdioReach,
    parts: StdioParts,
    options: { readonly name: string; readonly maxMessageBytes: number; readonly logger: Logger },
  ) {
    this.#reach = reach;
    this.#parts = parts;
    this.#limits = options;
    this.#log = (level, line) =>
      options.logger.log(level, `MCP server ${options.name}: ${line}`, { server: options.name });
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }
  get stderr(): null {
    return null;
  }
  /** How the process ended, and what it said last, where it ended before anybody closed it. */
  get died(): string | undefined {
    return this.#died === undefined ? undefined : `${this.#died}${this.#lastWords.text()}`;
  }

  /** @throws AgentError for a program that cannot be started. */
  async start(): Promise<void> {
    const { command, args } = programOf(this.#reach);
    const { cwd, env } = this.#reach;
    const child = spawn(command, [...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env: { ...this.#parts.environment(), ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child = child;
    try {
      await once(child, 'spawn');
    } catch (error) {
      throw notStarted(command, cwd, error);
    }
    const release = child.pid === undefined ? (): void => undefined : guard(child.pid);
    child.on('error', (error) => this.onerror?.(error));
    child.stdin.on('error', (error) => this.onerror?.(error));
    child.stdout.on('error', (error) => this.onerror?.(error));
    this.#read(child);
    // What the server left behind may hold its pipes: its own end counts.
    child.once('exit', (code, signal) => {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
      release();
      const how = `ended with ${signal ?? `code ${code}`}`;
      this.#log('debug', how);
      if (!this.#closed) this.#died = `its process ${how}`;
      // Its last words may still be in the pipe; whoever left its group may hold the pipe open.
      const timer = setTimeout(() => this.#gone(child), lastWordsMs);
      child.once('close', () => {
        clearTimeout(timer);
        this.#gone(child);
      });
    });
  }

  /** @throws Error `Not connected` where the process did not take it, and so will not do it. */
  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (stdin == null || !stdin.writable) throw new Error('Not connected');
    if (stdin.write(`${JSON.stringify(message)}\n`)) return;
    try {
      await Promise.race([once(stdin, 'drain'), once(stdin, 'close')]);
    } catch (error) {
      throw new Error('Not connected', { cause: error });
    }
  }

  /** Closes stdin, then asks, then insists: resolves when the process has ended. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child === undefined || this.#closed) return;
    this.#closed = true;
    const { pid } = child;
    if (pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.stdin?.end();
      if (!(await within(ended))) {
        signalGroup(pid, 'SIGTERM');
        if (!(await within(ended))) signalGroup(pid, 'SIGKILL');
        await ended;
      }
    }
    this.#gone(child);
  }

  #gone(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#closed = true;
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
    this.onclose?.();
  }

  #read(child: ChildProcess): void {
    const { maxMessageBytes } = this.#limits;
    const { encoding, strict } = this.#reach;
    const decoder = new TextDecoder(encoding, { fatal: strict });
    const out = new Lines(maxMessageBytes, {
      line: (line) => this.#message(line, decoder),
      tooLong: (edges) => this.#tooLong(edges),
    });
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    const err = new Lines(64 * 1024, {
      line: (line) => this.#log('debug', line.toString('utf8').slice(0, 1_000)),
      tooLong: () => undefined,
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      err.push(chunk);
      this.#lastWords.push(chunk);
    });
  }

  #message(line: Buffer, decoder: TextDecoder): void {
    let message: JSONRPCMessage;
    try {
      message = this.#parts.parse(JSON.parse(decoder.decode(line)));
    } catch (error) {
      // Many servers print a greeting to stdout.
      this.onerror?.(new Error('The server wrote a line that is no message.', { cause: error }));
      return;
    }
    this.onmessage?.(message);
  }

  #tooLong(edges: string): void {
    const { maxMessageBytes } = this.#limits;
    const id = idAtEdges(edges);
    if (id !== undefined) {
      this.onmessage?.(this.#parts.parse(tooLarge(id, maxMessageBytes)));
      return;
    }
    this.onerror?.(new Error(tooLargeText(maxMessageBytes)));
    void this.close();
  }
}

async function within(ended: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), graceMs);
  });
  try {
    return await Promise.race([ended.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function notStarted(command: string, cwd: string | undefined, cause: unknown): AgentError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'failed';
  const why =
    code === 'ENOENT'
      ? cwd === undefined
        ? 'there is no such program on the PATH. Install it, or write its whole path.'
        : 'there is no such program, or no such cwd.'
      : `starting it failed (${code}).`;
  return new AgentError('not_configured', `${JSON.stringify(command)} did not start: ${why}`, {
    cause,
  });
}
