import { expect, test } from 'vitest';
import { preferred, readCard } from './card.ts';

const url = 'https://example.com/a2a';
const read = (card: object) => preferred(readCard('test', { name: 'x', ...card }));

test('1.0 is preferred, whatever comes first; else the card decides', () => {
  const old = { url, protocolBinding: 'JSONRPC', protocolVersion: '0.3' };
  const rest = { url, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0', tenant: 't' };
  const rpc = { url, protocolBinding: 'jsonrpc', protocolVersion: '1.0' };
  const grpc = { url, protocolBinding: 'GRPC', protocolVersion: '1.0' };
  expect(read({ supportedInterfaces: [grpc, old, rest, rpc] })).toEqual({
    url,
    binding: 'HTTP+JSON',
    protocol: '1.0',
    tenant: 't',
  });
  expect(read({ supportedInterfaces: [rpc, rest] })?.binding).toBe('JSONRPC');
  expect(read({ supportedInterfaces: [grpc, old] })?.protocol).toBe('0.3');
});

test('a card of 0.3 is read as one', () => {
  expect(read({ url, protocolVersion: '0.3.0' })).toMatchObject({
    binding: 'JSONRPC',
    protocol: '0.3',
  });
  expect(read({ url, preferredTransport: 'HTTP+JSON' })?.binding).toBe('HTTP+JSON');
  const additionalInterfaces = [{ url, transport: 'JSONRPC' }];
  expect(read({ url, preferredTransport: 'GRPC', additionalInterfaces })?.binding).toBe('JSONRPC');
});

test('what is no card, and what speaks nothing that is spoken here, is refused', () => {
  expect(() => readCard('remote agent x', 'card')).toThrow(
    'The agent card of remote agent x cannot be used: it is no JSON object.',
  );
  const grpc = { url, protocolBinding: 'GRPC', protocolVersion: '1.0' };
  const later = { url, protocolBinding: 'JSONRPC', protocolVersion: '2.0' };
  const broken = { url: 'somewhere', protocolBinding: 'JSONRPC', protocolVersion: '1.0' };
  for (const one of [grpc, later, broken]) {
    expect(() => read({ supportedInterfaces: [one] })).toThrow('it names no address');
  }
});
