import { expect, test } from 'vitest';
import { hostCheck } from './allowed-hosts.ts';

test.each([
  ['localhost:7071', '127.0.0.1', true],
  ['LOCALHOST', '127.0.0.1', true],
  ['127.0.0.1:1', '127.0.0.1', true],
  ['[::1]:7071', '127.0.0.1', true],
  ['evil.example:7071', '127.0.0.1', false],
  ['localhost.evil.example', '127.0.0.1', false],
  ['', '127.0.0.1', false],
  ['mine.test:7071', '127.0.0.1', true],
  ['192.168.1.5:7071', '127.0.0.1', false],
  ['192.168.1.5:7071', '192.168.1.5', true],
  ['192.168.1.5:7071', '0.0.0.0', true],
  ['[fe80::1]:7071', '::', true],
  ['evil.example', '0.0.0.0', false],
])('Host: %s of a server on %s is allowed: %s', (header, host, allowed) => {
  expect(hostCheck({ host, allowed: ['mine.test'] })(header)).toBe(allowed);
});
