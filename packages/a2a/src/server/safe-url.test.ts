import type { LookupAddress } from 'node:dns';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { checkReceiver, post } from './push-post.ts';
import { checkUrl, resolveUrl, type Lookup } from './safe-url.ts';

/** What somebody may try, and a word of the reason. */
const attempts: readonly (readonly [url: string, reason: RegExp])[] = [
  // Loopback, in every spelling of the URL standard.
  ['https://127.0.0.1/hook', /loopback/],
  ['https://127.1/', /loopback/],
  ['https://2130706433/', /loopback/],
  ['https://0x7f000001/', /loopback/],
  ['https://0177.0.0.1/', /loopback/],
  ['https://0x7f.1/', /loopback/],
  ['https://127.255.255.254:8443/', /loopback/],
  ['https://localhost/', /local network/],
  ['https://LOCALHOST./', /local network/],
  ['https://app.localhost/', /local network/],
  ['https://０x7f.0.0.1/', /loopback/],
  ['https://①②⑦.0.0.1/', /loopback/],
  ['https://0/', /this network/],
  ['https://0.0.0.0/', /this network/],
  // Private and shared networks.
  ['https://10.0.0.1/', /private/],
  ['https://172.16.0.1/', /private/],
  ['https://172.31.255.255/', /private/],
  ['https://192.168.1.1/', /private/],
  ['https://3232235777/', /private/],
  ['https://100.64.0.1/', /carrier/],
  ['https://100.100.100.200/latest/meta-data/', /carrier/],
  // Cloud metadata.
  ['https://169.254.169.254/latest/meta-data/', /link-local/],
  ['https://0xa9fea9fe/', /link-local/],
  ['https://0251.0376.0251.0376/', /link-local/],
  ['https://metadata.google.internal/', /local network/],
  ['https://168.63.129.16/', /metadata/],
  // IPv6.
  ['https://[::1]/', /loopback/],
  ['https://[0:0:0:0:0:0:0:1]/', /loopback/],
  ['https://[::]/', /unspecified/],
  ['https://[::ffff:127.0.0.1]/', /loopback/],
  ['https://[::ffff:a9fe:a9fe]/', /link-local/],
  ['https://[::127.0.0.1]/', /loopback/],
  ['https://[64:ff9b::7f00:1]/', /NAT64/],
  ['https://[2002:7f00:1::]/', /6to4/],
  ['https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/', /protocols/],
  ['https://[fe80::1]/', /link-local/],
  ['https://[fc00::1]/', /unique local/],
  ['https://[fd00:ec2::254]/', /unique local/],
  ['https://[fec0::1]/', /site-local/],
  ['https://[ff02::1]/', /multicast/],
  ['https://[2001:db8::1]/', /documentation/],
  // The rest of what is no public address.
  ['https://224.0.0.1/', /multicast/],
  ['https://255.255.255.255/', /reserved/],
  ['https://198.18.0.1/', /benchmarks/],
  // Other schemes, credentials, what is no URL, names of a local network.
  ['http://example.com/', /https/],
  ['ftp://example.com/', /https/],
  ['file:///etc/passwd', /https/],
  ['gopher://127.0.0.1:6379/_INFO', /https/],
  ['data:text/plain,x', /https/],
  ['https://user:secret@example.com/', /credentials/],
  ['//example.com/', /absolute/],
  ['example.com', /absolute/],
  ['https://intranet/', /local network/],
  ['https://printer.local/', /local network/],
];

it.each(attempts)('%s is refused', (url, reason) => {
  const checked = checkUrl(url);
  expect(checked.ok ? 'taken' : checked.reason).toMatch(reason);
});

it.each([
  'https://example.com/hook',
  'https://93.184.215.14/',
  'https://[2606:2800:21f:cb07::1]:8443/x?y',
])('%s is taken', (url) => expect(checkUrl(url).ok).toBe(true));

describe('what a name resolves to', () => {
  const answers =
    (...addresses: readonly string[]): Lookup =>
    async () =>
      addresses.map((address): LookupAddress => ({
        address,
        family: address.includes(':') ? 6 : 4,
      }));

  it.each([
    ['127.0.0.1'],
    ['10.1.2.3'],
    ['169.254.169.254'],
    ['::1'],
    ['fe80::1%eth0'],
    ['::ffff:192.168.0.1'],
    ['93.184.215.14', '192.168.0.1'],
    ['no address'],
  ])('%s is refused', async (...addresses) => {
    const resolved = await resolveUrl('https://example.com/', answers(...addresses));
    expect(resolved.ok ? 'taken' : resolved.reason).toMatch(/resolves to/);
  });

  it('a name without an address, or that nobody knows, is refused', async () => {
    const none = await resolveUrl('https://example.com/', answers());
    expect(none.ok ? '' : none.reason).toMatch(/no address/);
    const unknown = await resolveUrl('https://example.com/', () =>
      Promise.reject(new Error('ENOTFOUND')),
    );
    expect(unknown.ok ? '' : unknown.reason).toMatch(/cannot be resolved/);
  });

  it('is looked at again with each notification: a name that turns inward is not followed', async () => {
    let asked = 0;
    const turning: Lookup = async () =>
      ++asked === 1
        ? [{ address: '93.184.215.14', family: 4 }]
        : [{ address: '127.0.0.1', family: 4 }];
    const options = { trustedOrigins: new Set<string>(), timeoutMs: 1_000, lookup: turning };
    expect(await checkReceiver('https://example.com/', options)).toEqual({ ok: true });
    expect(await post(config('https://example.com/'), note, options)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/127\.0\.0\.1, which is a loopback address/),
    });
    expect(asked).toBe(2);
  });
});

it('a redirect is a failure, wherever it leads', async () => {
  const asked: string[] = [];
  const receiver = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(302, { location: '/inside' }).end();
  });
  await new Promise<void>((resolve) => {
    receiver.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const options = { trustedOrigins: new Set([origin]), timeoutMs: 1_000 };
  expect(await post(config(`${origin}/hook`), note, options)).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/redirects are not followed/),
  });
  expect(asked).toEqual(['/hook']);
  receiver.close();
});

it('only trusted origins are exempt, not their neighbours', async () => {
  const options = { trustedOrigins: new Set(['http://127.0.0.1:4000']), timeoutMs: 1_000 };
  expect(await checkReceiver('http://127.0.0.1:4000/hook', options)).toEqual({ ok: true });
  expect(await checkReceiver('http://127.0.0.1:4001/hook', options)).toMatchObject({ ok: false });
  expect(await checkReceiver('http://127.0.0.1:4000@10.0.0.1/', options)).toMatchObject({
    ok: false,
  });
});

const note = { body: '{}', contentType: 'application/json', version: '1.0' };

function config(url: string) {
  return { tenant: '', id: 'c', taskId: 't', url, token: '', authentication: undefined };
}
