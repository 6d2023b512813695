/** Codes of errors that stand for an answer that was not read. They are none of JSON-RPC's or MCP's own. */
export const tooLargeCode = -32_901;
export const cutOffCode = -32_902;

/** A JSON-RPC error in place of an answer: whoever waits for it goes on at once. */
export interface StandIn {
  readonly jsonrpc: '2.0';
  readonly id: string | number;
  readonly error: { readonly code: number; readonly message: string };
}

/** For an answer that was too large to be read. */
export function tooLarge(id: string | number, maxMessageBytes: number): StandIn {
  return {
    jsonrpc: '2.0',
    id,
    error: { code: tooLargeCode, message: tooLargeText(maxMessageBytes) },
  };
}

export function tooLargeText(maxMessageBytes: number): string {
  return `the answer is larger than ${maxMessageBytes} bytes (maxMessageBytes)`;
}

/** For an answer whose connection broke, or ended, before it came. */
export function cutOff(id: string | number): StandIn {
  return { jsonrpc: '2.0', id, error: { code: cutOffCode, message: 'the connection broke' } };
}
