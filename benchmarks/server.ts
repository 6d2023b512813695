import { fork, type ChildProcess } from 'node:child_process';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { ratioOf } from './rounds.ts';
import { answerText, pieces, question } from './workloads.ts';

/** H1, H2: what a request costs a server, in processor time of its process, and when a stream begins. */
export interface ServerRatios {
  /** Processor time a request. */
  readonly request: number | undefined;
  /** Processor time a stream of 200 pieces. */
  readonly stream: number | undefined;
  /** Time from the request to the first byte of a stream. */
  readonly firstByte: number | undefined;
}

interface Sample {
  readonly request: number;
  readonly stream: number;
  readonly firstByte: number;
}

const rounds = 9;
const requests = 600;
const streams = 120;
const firstBytes = 40;

/** @throws Error when a server does not answer as it should. */
export async function measureServers(): Promise<{
  readonly toFloor: ServerRatios;
  readonly toRunner: ServerRatios;
}> {
  const servers = await Promise.all(['ours', 'floor', 'runner'].map((kind) => Server.start(kind)));
  const samples = new Map(servers.map((server) => [server.kind, [] as Sample[]]));
  try {
    for (const server of servers) {
      await server.verify();
      await server.sample(4 * requests, 4 * streams, firstBytes);
    }
    for (let round = 0; round < rounds; round += 1) {
      for (let index = 0; index < servers.length; index += 1) {
        const server = servers[(index + round) % servers.length];
        if (server === undefined) continue;
        samples.get(server.kind)?.push(await server.sample(requests, streams, firstBytes));
      }
    }
  } finally {
    for (const server of servers) server.stop();
  }
  const over = (under: string): ServerRatios => {
    const to = (by: keyof Sample) =>
      ratioOf(samples.get('ours'), samples.get(under), (sample) => sample[by]);
    return { request: to('request'), stream: to('stream'), firstByte: to('firstByte') };
  };
  return { toFloor: over('floor'), toRunner: over('runner') };
}

class Server {
  readonly kind: string;
  readonly #child: ChildProcess;
  readonly #sockets = new Agent({ keepAlive: true, maxSockets: 16 });
  #port = 0;

  private constructor(kind: string) {
    this.kind = kind;
    this.#child = fork(join(import.meta.dirname, 'servers.ts'), [kind], {
      env: { ...process.env, NODE_ENV: 'production' },
    });
    this.#child.on('exit', (code) => {
      if (code !== 0) throw new Error(`The server ${kind} ended with ${code}.`);
    });
  }

  static async start(kind: string): Promise<Server> {
    const server = new Server(kind);
    server.#port = await server.#heard();
    return server;
  }

  async verify(): Promise<void> {
    const answer = await this.#post('turn', () => undefined);
    if (!answer.includes(answerText)) throw new Error(`${this.kind} answered ${answer}`);
    const stream = await this.#post('stream', () => undefined);
    for (const piece of pieces(200)) {
      if (!stream.includes(piece)) throw new Error(`${this.kind} did not stream ${piece}`);
    }
  }

  async sample(asked: number, streamed: number, first: number): Promise<Sample> {
    const ofRequests = await this.#processor(() => this.#load('turn', asked));
    const ofStreams = await this.#processor(() => this.#load('stream', streamed));
    let waited = 0;
    for (let index = 0; index < first; index += 1) {
      const start = performance.now();
      await this.#post('stream', () => {
        waited += performance.now() - start;
      });
    }
    return {
      request: ofRequests / asked,
      stream: ofStreams / streamed,
      firstByte: waited / first,
    };
  }

  stop(): void {
    this.#sockets.destroy();
    this.#child.disconnect();
  }

  async #processor(work: () => Promise<void>): Promise<number> {
    const before = await this.#used();
    await work();
    return (await this.#used()) - before;
  }

  #used(): Promise<number> {
    const heard = this.#heard();
    this.#child.send('used');
    return heard;
  }

  #heard(): Promise<number> {
    return new Promise((resolve) => {
      this.#child.once('message', (value) => resolve(Number(value)));
    });
  }

  /** Sixteen connections, each with one request after the other. */
  async #load(agent: string, count: number): Promise<void> {
    let left = count;
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        while (left > 0) {
          left -= 1;
          await this.#post(agent, () => undefined);
        }
      }),
    );
  }

  #post(agent: string, onFirstByte: () => void): Promise<string> {
    const body = JSON.stringify({ message: question });
    const accept = agent === 'stream' ? 'text/event-stream' : 'application/json';
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: this.#port,
          agent: this.#sockets,
          method: 'POST',
          path: `/api/agents/${agent}/chat`,
          headers: {
            accept,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.once('data', onFirstByte);
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            if (response.statusCode === 200) resolve(text);
            else reject(new Error(`${this.kind} answered ${response.statusCode}: ${text}`));
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
