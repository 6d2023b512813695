import { lookup as dnsLookup } from 'node:dns/promises';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { TaskPushNotificationConfig } from '@a2a-js/sdk';
import { resolveUrl, type Lookup } from './safe-url.ts';

/** How URLs of receivers are reached. */
export interface PostOptions {
  readonly trustedOrigins: ReadonlySet<string>;
  readonly timeoutMs: number;
  /** Default: the system's. */
  readonly lookup?: Lookup | undefined;
}

/** What is sent. */
export interface Notification {
  readonly body: string;
  readonly contentType: string;
  readonly version: string;
}

/** What became of a notification. */
export type Posted = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const systemLookup: Lookup = (hostname) => dnsLookup(hostname, { all: true });

/** Whether a URL may be registered: as it is written, and by what it resolves to now, if it does. */
export async function checkReceiver(
  url: string,
  { trustedOrigins, lookup = systemLookup }: PostOptions,
): Promise<Posted> {
  if (URL.canParse(url) && trustedOrigins.has(new URL(url).origin)) return { ok: true };
  const resolved = await resolveUrl(url, lookup);
  // A name that cannot be resolved now is nobody's address; it is looked at again with each notification.
  return resolved.ok || resolved.unresolved === true ? { ok: true } : resolved;
}

/**
 * Posts a notification (specification 4.3.3). The URL is checked again, and the connection goes to an address that was
 * checked: what the name means a moment later does not matter. A redirect is a failure.
 */
export async function post(
  config: TaskPushNotificationConfig,
  note: Notification,
  options: PostOptions,
): Promise<Posted> {
  const { trustedOrigins, lookup = systemLookup } = options;
  const isTrusted = URL.canParse(config.url) && trustedOrigins.has(new URL(config.url).origin);
  if (isTrusted) return send(new URL(config.url), config, note, options);
  const resolved = await resolveUrl(config.url, lookup);
  if (!resolved.ok) return resolved;
  const [address] = resolved.addresses;
  if (address === undefined) return { ok: false, reason: 'it has no address.' };
  return send(resolved.url, config, note, options, address);
}

function send(
  url: URL,
  config: TaskPushNotificationConfig,
  note: Notification,
  { timeoutMs }: PostOptions,
  pinned?: { readonly address: string; readonly family: number },
): Promise<Posted> {
  const options: RequestOptions = {
    method: 'POST',
    headers: headersOf(config, note),
    // No connection of somebody else's request is used again.
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
    ...(pinned === undefined
      ? {}
      : {
          lookup: (_host, { all }, done) =>
            all === true ? done(null, [pinned]) : done(null, pinned.address, pinned.family),
        }),
  };
  return new Promise((resolve) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(
      url,
      options,
      (response) => {
        const status = response.statusCode ?? 0;
        response.resume();
        response.once('close', () => undefined);
        if (status >= 200 && status < 300) resolve({ ok: true });
        else if (status >= 300 && status < 400) {
          resolve({ ok: false, reason: `it answered ${status}; redirects are not followed.` });
        } else resolve({ ok: false, reason: `it answered ${status}.` });
      },
    );
    request.once('error', (error) => resolve({ ok: false, reason: `it failed: ${error.message}` }));
    request.end(note.body);
  });
}

function headersOf(
  { token, authentication }: TaskPushNotificationConfig,
  { body, contentType, version }: Notification,
): Record<string, string> {
  return {
    'content-type': contentType,
    'content-length': String(Buffer.byteLength(body)),
    'a2a-version': version,
    ...(token === '' ? {} : { 'x-a2a-notification-token': token }),
    ...(authentication === undefined || authentication.scheme === ''
      ? {}
      : {
          authorization: `${authentication.scheme} ${authentication.credentials}`.trim(),
        }),
  };
}
