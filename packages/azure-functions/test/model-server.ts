import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Model, ModelStreamEvent } from '@agent-functions/core';

/** A model on the other side of a socket: it writes a word every 10 ms and never ends by itself. */
export interface ModelServer extends AsyncDisposable {
  readonly model: Model;
  /** Requests that the server still answers. */
  readonly open: ReadonlySet<Socket>;
  /** When the last request was cut by its caller, by `performance.now()`. */
  readonly cutAt: number | undefined;
}

export async function modelServer(): Promise<ModelServer> {
  const open = new Set<Socket>();
  let cutAt: number | undefined;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      open.add(socket);
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n');
      const words = setInterval(() => socket.write('word '), 10);
      socket.once('close', () => {
        clearInterval(words);
        open.delete(socket);
        cutAt = performance.now();
      });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const url = `http://127.0.0.1:${address.port}/`;
  return {
    model: {
      provider: 'socket',
      modelId: 'words',
      stream: (_request, options) => words(url, options),
    },
    open,
    get cutAt() {
      return cutAt;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function* words(
  url: string,
  options: { readonly signal: AbortSignal },
): AsyncGenerator<ModelStreamEvent> {
  const response = await fetch(url, { method: 'POST', body: '{}', signal: options.signal });
  if (response.body === null) throw new Error('The model server sent no body.');
  for await (const delta of response.body.pipeThrough(new TextDecoderStream()))
    yield { type: 'text-delta', delta };
  throw new Error('The model server ended the answer.');
}
