import { isIP } from 'node:net';
import type { LookupAddress } from 'node:dns';

// URLs that somebody else supplies (push notifications, file parts): what they may name, so that this server is not made
// to ask its own network (server-side request forgery; OWASP, "Server-Side Request Forgery Prevention").

/** What became of a URL: itself, or why it is refused. */
export type CheckedUrl =
  | { readonly ok: true; readonly url: URL }
  | { readonly ok: false; readonly reason: string };

/** Addresses of a host name: `dns.promises.lookup` with `all`. */
export type Lookup = (hostname: string) => Promise<readonly LookupAddress[]>;

/**
 * Looks at a URL without asking anybody: https, no credentials, a public host. Numbers in every spelling that the URL
 * standard knows (decimal, octal, hexadecimal, short) are the address they mean.
 */
export function checkUrl(text: string): CheckedUrl {
  if (!URL.canParse(text)) return refused('it is not an absolute URL.');
  const url = new URL(text);
  if (url.protocol !== 'https:') return refused(`it is ${url.protocol}, and only https: is taken.`);
  if (url.username !== '' || url.password !== '') return refused('it carries credentials.');
  const host = hostOf(url);
  if (isIP(host) !== 0) {
    const range = privateRange(host);
    return range === undefined ? { ok: true, url } : refused(`${host} is ${range}.`);
  }
  if (isLocalName(host)) return refused(`${host} is a name of a local network.`);
  return { ok: true, url };
}

/**
 * Checks a URL, and every address that its host resolves to now. Connect to one of `addresses` and to nothing else: a name
 * may mean another address the next time.
 */
export async function resolveUrl(
  text: string,
  lookup: Lookup,
): Promise<
  | { readonly ok: true; readonly url: URL; readonly addresses: readonly LookupAddress[] }
  | { readonly ok: false; readonly reason: string; readonly unresolved?: true }
> {
  const checked = checkUrl(text);
  if (!checked.ok) return checked;
  const host = hostOf(checked.url);
  const family = isIP(host);
  if (family !== 0) return { ...checked, addresses: [{ address: host, family }] };
  let addresses: readonly LookupAddress[];
  try {
    addresses = await lookup(host);
  } catch {
    return { ...refused(`${host} cannot be resolved.`), unresolved: true };
  }
  if (addresses.length === 0) return refused(`${host} has no address.`);
  for (const { address } of addresses) {
    const range = isIP(address) === 0 ? 'no address' : privateRange(address);
    if (range !== undefined) return refused(`${host} resolves to ${address}, which is ${range}.`);
  }
  return { ...checked, addresses };
}

function refused(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}

/** The host without the brackets of IPv6, and without the dot of a full name. */
export function hostOf({ hostname }: URL): string {
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return host.replace(/\.$/, '');
}

const localSuffixes = [
  'localhost',
  'local',
  'internal',
  'lan',
  'home',
  'corp',
  'home.arpa',
  'intranet',
];

function isLocalName(host: string): boolean {
  return (
    !host.includes('.') || localSuffixes.some((name) => host === name || host.endsWith(`.${name}`))
  );
}

/** What an address is if it is not a public one (https://www.iana.org/assignments/iana-ipv4-special-registry, -ipv6-). */
export function privateRange(address: string): string | undefined {
  const plain = address.split('%', 1)[0] ?? address;
  return isIP(plain) === 6 ? ipv6Range(plain) : ipv4Range(toNumber(plain));
}

/** First address, prefix length, what it is. */
const ipv4Ranges: readonly (readonly [string, number, string])[] = [
  ['0.0.0.0', 8, 'an address of this network'],
  ['10.0.0.0', 8, 'a private address'],
  ['100.64.0.0', 10, 'an address of a carrier (or of a cloud’s metadata)'],
  ['127.0.0.0', 8, 'a loopback address'],
  ['169.254.0.0', 16, 'a link-local address (cloud metadata is there)'],
  ['172.16.0.0', 12, 'a private address'],
  ['192.0.0.0', 24, 'reserved for protocols'],
  ['192.0.2.0', 24, 'an address of documentation'],
  ['192.88.99.0', 24, 'a relay of 6to4'],
  ['192.168.0.0', 16, 'a private address'],
  ['198.18.0.0', 15, 'an address for benchmarks'],
  ['198.51.100.0', 24, 'an address of documentation'],
  ['203.0.113.0', 24, 'an address of documentation'],
  // Azure's wire server, on a public-looking address that answers inside virtual machines only.
  ['168.63.129.16', 32, 'the metadata address of Azure'],
  ['224.0.0.0', 4, 'a multicast address'],
  ['240.0.0.0', 4, 'a reserved address'],
];

function ipv4Range(value: number): string | undefined {
  return ipv4Ranges.find(([first, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(value / size) === Math.floor(toNumber(first) / size);
  })?.[2];
}

function toNumber(dotted: string): number {
  return dotted.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

function ipv6Range(address: string): string | undefined {
  const groups = groupsOf(address);
  const [a = 0, b = 0] = groups;
  const v4 = (high: number, low: number): number =>
    (groups[high] ?? 0) * 65_536 + (groups[low] ?? 0);
  const leading = groups.findIndex((group) => group !== 0);
  if (leading === -1) return 'the unspecified address';
  if (leading === 7 && groups[7] === 1) return 'a loopback address';
  // ::ffff:a.b.c.d and the old ::a.b.c.d mean an IPv4 address; so do NAT64 and 6to4.
  if (leading >= 6 || (leading === 5 && groups[5] === 0xffff))
    return ipv4Range(v4(6, 7)) ?? 'an IPv4 address in disguise';
  if (leading === 4 && groups[4] === 0xffff && groups[5] === 0)
    return 'an IPv4 address in disguise';
  if (a === 0x64 && b === 0xff9b) return 'an IPv4 address behind NAT64';
  if (a === 0x2002) return 'an IPv4 address behind 6to4';
  if (a === 0x2001 && b < 0x200) return 'reserved for protocols (Teredo and others)';
  if (a === 0x2001 && b === 0xdb8) return 'an address of documentation';
  if (a === 0x3fff && b < 0x1000) return 'an address of documentation';
  if (a === 0x100 && b === 0) return 'an address that is discarded';
  if (a >= 0xfc00 && a <= 0xfdff) return 'a unique local address';
  if (a >= 0xfe80 && a <= 0xfebf) return 'a link-local address';
  if (a >= 0xfec0 && a <= 0xfeff) return 'a site-local address';
  if (a >= 0xff00) return 'a multicast address';
  // Global unicast is 2000::/3; the rest is not assigned.
  return a >= 0x2000 && a <= 0x3fff ? undefined : 'not a public address';
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const withoutV4 = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (...parts) => {
    const [, p1, p2, p3, p4] = parts.map(Number);
    return `${(((p1 ?? 0) << 8) | (p2 ?? 0)).toString(16)}:${(((p3 ?? 0) << 8) | (p4 ?? 0)).toString(16)}`;
  });
  const [head = '', tail] = withoutV4.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from(
    { length: tail === undefined ? 0 : 8 - before.length - after.length },
    () => '0',
  );
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
}
