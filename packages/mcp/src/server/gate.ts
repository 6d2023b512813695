import type { HostContext, Principal } from '@agent-functions/core';
import type { GateOptions } from './options.ts';

/** A request that may pass, with its JSON; or the answer of one that may not. */
export type Admitted =
  | { readonly type: 'admitted'; readonly principal: Principal | undefined; readonly body: unknown }
  | { readonly type: 'refused'; readonly response: Response };

/** What the gate of one server is made of. */
export interface Gate {
  /** `undefined`: all. */
  readonly hosts: ReadonlySet<string> | undefined;
  readonly origins: ReadonlySet<string> | undefined;
  readonly bodyLimitBytes: number;
  readonly verifyToken: GateOptions['verifyToken'];
  readonly resourceMetadataUrl: string | undefined;
}

const thisMachine = ['localhost', '127.0.0.1', '[::1]'];

/** The gate that a server's options and its host describe. */
export function gate(
  options: GateOptions,
  host: {
    readonly publicUrl: string;
    readonly corsOrigins: readonly string[];
    readonly bodyLimitBytes: number;
  },
): Gate {
  const own = host.publicUrl === '' ? [] : [new URL(host.publicUrl).hostname];
  const azure = globalThis.process?.env['WEBSITE_HOSTNAME'];
  const hosts =
    options.allowedHosts === '*'
      ? undefined
      : new Set([
          ...(options.allowedHosts ?? [
            ...thisMachine,
            ...(azure === undefined ? [] : [hostnameOf(azure) ?? azure]),
          ]),
          ...own,
        ]);
  return {
    hosts,
    origins: originsOf(options, host.corsOrigins, hosts),
    bodyLimitBytes: options.bodyLimitBytes ?? host.bodyLimitBytes,
    verifyToken: options.verifyToken,
    resourceMetadataUrl: options.resourceMetadataUrl,
  };
}

function originsOf(
  { allowedOrigins }: GateOptions,
  corsOrigins: readonly string[],
  hosts: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  if (allowedOrigins === '*' || corsOrigins.includes('*')) return undefined;
  if (allowedOrigins !== undefined) return new Set(allowedOrigins);
  const pages = corsOrigins.flatMap((origin) =>
    URL.canParse(origin) ? new URL(origin).hostname : [],
  );
  return new Set([...(hosts ?? thisMachine), ...pages]);
}

/** Looks at who calls, from where, with what; reads the body. */
export async function admit(
  { hosts, origins, bodyLimitBytes, verifyToken, resourceMetadataUrl }: Gate,
  request: Request,
  host: HostContext,
): Promise<Admitted> {
  const { headers } = request;
  const asked = hostnameOf(headers.get('host') ?? new URL(request.url).host);
  if (hosts !== undefined && (asked === undefined || !hosts.has(asked))) {
    host.log(
      'warn',
      'An MCP request came for another host. Add it to allowedHosts, or set publicUrl.',
    );
    return refuse(403, 'This server does not answer to the name in the Host header.');
  }
  const origin = headers.get('origin');
  const page = origin === null || !URL.canParse(origin) ? undefined : new URL(origin).hostname;
  if (origin !== null && origins !== undefined && (page === undefined || !origins.has(page))) {
    host.log(
      'warn',
      'An MCP request came from a web page elsewhere. Add its host to allowedOrigins.',
    );
    return refuse(403, 'Web pages of this Origin may not call this server.');
  }
  let { principal } = host;
  if (verifyToken !== undefined) {
    principal = await bearer(verifyToken, request, host);
    if (principal === undefined) return challenge(headers, resourceMetadataUrl);
  }
  if (request.method !== 'POST') return { type: 'admitted', principal, body: undefined };
  return readBody(request, bodyLimitBytes, principal);
}

async function bearer(
  verifyToken: NonNullable<GateOptions['verifyToken']>,
  request: Request,
  host: HostContext,
): Promise<Principal | undefined> {
  const token = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  if (token === undefined) return undefined;
  try {
    return await verifyToken(token, request);
  } catch (error) {
    host.log('warn', 'verifyToken() threw; the caller is refused', {
      error: error instanceof Error ? error.message : String(error),
    });
    return undefined;
  }
}

/** 401, with where a token is to be had (RFC 9728 §5.1). */
function challenge(headers: Headers, resourceMetadataUrl: string | undefined): Admitted {
  const parameters = [
    ...(headers.has('authorization') ? ['error="invalid_token"'] : []),
    ...(resourceMetadataUrl === undefined ? [] : [`resource_metadata="${resourceMetadataUrl}"`]),
  ];
  return refuse(401, 'Send a bearer token that this server accepts.', {
    'www-authenticate': ['Bearer', parameters.join(', ')].join(' ').trim(),
  });
}

async function readBody(
  request: Request,
  limitBytes: number,
  principal: Principal | undefined,
): Promise<Admitted> {
  const media = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (media !== 'application/json') {
    return refuse(415, 'The Content-Type must be application/json.');
  }
  const bytes = await bytesOf(request, limitBytes);
  if (bytes === 'too-large') return refuse(413, `The body is larger than ${limitBytes} bytes.`);
  if (bytes === 'cut') return refuse(400, 'The body ended before it was complete.', {}, parseError);
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return refuse(400, 'The body is not JSON in UTF-8.', {}, parseError);
  }
  if (isDeeperThan(body, maxDepth)) {
    return refuse(400, `The body is nested deeper than ${maxDepth} levels.`, {}, parseError);
  }
  return { type: 'admitted', principal, body };
}

async function bytesOf(
  request: Request,
  limitBytes: number,
): Promise<Uint8Array | 'too-large' | 'cut'> {
  if (Number(request.headers.get('content-length') ?? 0) > limitBytes) return 'too-large';
  if (request.body === null) return new Uint8Array();
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > limitBytes) {
        reader.cancel().catch(() => undefined);
        return 'too-large';
      }
      chunks.push(value);
    }
  } catch {
    return 'cut';
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}

const maxDepth = 100;

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((one) => isDeeperThan(one, levels - 1));
}

/** The name of a host, without its port, as URLs have it: in lower case, IPv6 in brackets. */
function hostnameOf(host: string): string | undefined {
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

const parseError = -32_700;
const serverError = -32_000;

function refuse(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  code = serverError,
): Admitted {
  return { type: 'refused', response: rpcError(status, message, headers, code) };
}

/** A refusal in the form of the protocol. */
export function rpcError(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  code = serverError,
): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status, headers });
}
