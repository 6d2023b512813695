/** Headers that belong to one connection (RFC 9110, section 7.6.1), and those that `Connection` names. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The headers without those of the connection. Repeated ones stay repeated. */
export function endToEnd(
  headers: Iterable<readonly [name: string, value: string]>,
): [name: string, value: string][] {
  const all = [...headers].map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  const named = new Set(
    all
      .filter(([name]) => name === 'connection')
      .flatMap(([, value]) => value.split(','))
      .map((name) => name.trim().toLowerCase()),
  );
  return all.filter(([name]) => !hopByHop.has(name) && !named.has(name));
}
