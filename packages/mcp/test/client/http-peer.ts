import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { recordOf } from '@agent-functions/core/provider';

type Answer = (request: { readonly id: unknown; readonly response: ServerResponse }) => void;

/** A server over HTTP, by hand: what it was asked with is kept, and a call is answered as the test says. */
export class HttpPeer {
  readonly headers: IncomingMessage['headers'][] = [];
  /** Answers `tools/call`. */
  call: Answer = ({ id, response }) => json(response, { id, result: { content: [] } });
  /** Takes a request before it is looked at. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.headers.push(request.headers);
      if (this.intercept(request, response)) return;
      if (request.method !== 'POST') response.writeHead(405).end();
      else void this.#answer(request, response);
    });
  }

  static async start(): Promise<HttpPeer> {
    const peer = new HttpPeer();
    peer.#server.listen(0, '127.0.0.1');
    await once(peer.#server, 'listening');
    return peer;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('It does not listen.');
    return `http://127.0.0.1:${address.port}/mcp`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { id, method } = recordOf(JSON.parse(body));
    switch (method) {
      case 'initialize':
        json(response, {
          id,
          result: {
            protocolVersion: '2025-11-25',
            capabilities: { tools: {} },
            serverInfo: { name: 'peer', version: '1' },
          },
        });
        return;
      case 'tools/list':
        json(response, {
          id,
          result: {
            tools: [{ name: 'work', description: 'Works.', inputSchema: { type: 'object' } }],
          },
        });
        return;
      case 'tools/call':
        this.call({ id, response });
        return;
      default:
        if (id === undefined) response.writeHead(202).end();
        else json(response, { id, error: { code: -32_601, message: 'Method not found' } });
    }
  }
}

export function json(response: ServerResponse, message: object): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', ...message }));
}
