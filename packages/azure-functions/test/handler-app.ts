import {
  silentLogger,
  type HostContext,
  type HttpHandler,
  type JsonObject,
  type Logger,
  type LogLevel,
} from '@agent-functions/core';
import { app } from '@azure/functions';
import type { EasyAuthOptions } from '../src/easy-auth.ts';
import { httpFunction } from '../src/http-function.ts';
import { invocations } from '../src/invocations.ts';
import { wireTap, type WireTap } from '../src/wire.ts';
import { miniHost, type MiniHost } from './mini-host.ts';

export interface HandlerAppOptions {
  readonly streaming: boolean;
  readonly logger?: Logger;
  readonly easyAuth?: EasyAuthOptions;
  readonly functionTimeoutMs?: number;
  /** As on a Node without the diagnostics channel. */
  readonly withoutWires?: boolean;
}

const noWires: WireTap = { take: () => undefined };

/** A host with one function for every path, which answers with `serve`. */
export async function handlerApp(
  serve: HttpHandler,
  options: HandlerAppOptions,
): Promise<MiniHost & { readonly invocations: ReturnType<typeof invocations> }> {
  const open = invocations();
  const host = await miniHost(() => {
    app.http('all', {
      route: '{*path}',
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
      handler: httpFunction({
        serve,
        wires: options.withoutWires === true ? noWires : wireTap(),
        invocations: open,
        handOvers: undefined,
        logger: options.logger ?? silentLogger,
        streaming: options.streaming,
        easyAuth: options.easyAuth,
        principalRequired: false,
        functionTimeoutMs: () => options.functionTimeoutMs ?? 300_000,
      }),
    });
  });
  return { ...host, invocations: open };
}

export interface RecordedLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: JsonObject | undefined;
}

/** A logger that keeps what it is told. */
export function recordingLogger(): Logger & { readonly lines: readonly RecordedLine[] } {
  const lines: RecordedLine[] = [];
  return {
    lines,
    log: (level, message, fields) => void lines.push({ level, message, fields }),
  };
}

/** A handler that tells of the request as it got it. */
export const echo: HttpHandler = async (request: Request, context: HostContext) => {
  const body = request.body === null ? null : await request.text();
  return Response.json({
    method: request.method,
    url: request.url,
    headers: Object.fromEntries(request.headers),
    body,
    principal: context.principal ?? null,
    traceparent: context.traceparent ?? null,
  });
};

/** What `echo` answers. */
export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly principal: { readonly id: string; readonly claims: JsonObject } | null;
}

export function isEcho(value: unknown): value is Echo {
  return typeof value === 'object' && value !== null && 'headers' in value && 'method' in value;
}

export async function echoed(response: Response): Promise<Echo> {
  const value: unknown = await response.json();
  if (!isEcho(value)) throw new Error(`This is no echo: ${JSON.stringify(value)}`);
  return value;
}
