import { AgentError } from '@agent-functions/core';
import {
  isRecord,
  recordOf,
  recordsOf,
  stringOf,
  type Fields,
} from '@agent-functions/core/provider';

// Agent cards: 1.0 (https://a2a-protocol.org/v1.0.0/specification, 4.4) and 0.3 (5.5). What a card says is a claim of
// its server: it is read field by field.

export type Binding = 'JSONRPC' | 'HTTP+JSON';

/** One way to reach an agent. */
export interface RemoteInterface {
  readonly url: string;
  readonly binding: Binding;
  readonly protocol: '1.0' | '0.3';
  readonly tenant: string;
}

/** What of a card counts here. */
export interface RemoteCard {
  readonly name: string;
  readonly description: string;
  readonly streaming: boolean;
  /** In the order of the card; of the bindings that are spoken here. */
  readonly interfaces: readonly RemoteInterface[];
}

/** Reads a card of either protocol. @throws AgentError for what is none, or names no binding that is spoken here. */
export function readCard(where: string, value: unknown): RemoteCard {
  if (!isRecord(value)) throw notACard(where, 'it is no JSON object');
  const interfaces = interfacesOf(value).filter(({ url }) => URL.canParse(url));
  if (interfaces.length === 0) {
    throw notACard(where, 'it names no address for JSON-RPC or HTTP+JSON in protocol 1.0 or 0.3');
  }
  return {
    name: stringOf(value['name']) ?? '',
    description: stringOf(value['description']) ?? '',
    streaming: recordOf(value['capabilities'])['streaming'] === true,
    interfaces,
  };
}

/** 1.0 before 0.3; else as the card orders them: its first is what the agent prefers. */
export function preferred({ interfaces }: RemoteCard): RemoteInterface | undefined {
  return interfaces.find(({ protocol }) => protocol === '1.0') ?? interfaces[0];
}

function interfacesOf(card: Fields): readonly RemoteInterface[] {
  const listed = recordsOf(card['supportedInterfaces']);
  if (listed.length > 0) {
    return listed.flatMap((one) => {
      const version = stringOf(one['protocolVersion']) ?? '1.0';
      return toInterface(one['url'], one['protocolBinding'], version, one['tenant']);
    });
  }
  // 0.3: one address at the top, and others.
  const version = stringOf(card['protocolVersion']) ?? '0.3';
  return [
    ...toInterface(card['url'], card['preferredTransport'] ?? 'JSONRPC', version),
    ...recordsOf(card['additionalInterfaces']).flatMap((one) =>
      toInterface(one['url'], one['transport'], version),
    ),
  ];
}

function toInterface(
  url: unknown,
  binding: unknown,
  version: string,
  tenant?: unknown,
): readonly RemoteInterface[] {
  const name = stringOf(binding)?.toUpperCase();
  const protocol = version.startsWith('1.') || version === '1' ? '1.0' : '0.3';
  if (typeof url !== 'string' || (name !== 'JSONRPC' && name !== 'HTTP+JSON')) return [];
  if (protocol === '0.3' && !version.startsWith('0.')) return [];
  return [{ url, binding: name, protocol, tenant: stringOf(tenant) ?? '' }];
}

function notACard(where: string, why: string): AgentError {
  return new AgentError('handoff_error', `The agent card of ${where} cannot be used: ${why}.`);
}
