import { fork, type ChildProcess } from 'node:child_process';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { answerText, pieces } from './workloads.ts';

/** What one server needed: processor time of its process, in microseconds, and milliseconds to the first byte. */
export interface Sample {
  readonly request: number;
  readonly stream: number;
  readonly firstByte: number;
}

/** How much of each a sample is made of. */
export interface Amounts {
  readonly requests: number;
  readonly streams: number;
  readonly firstBytes: number;
}

/** `turn` answers in one piece, `stream` in 200. */
export type AgentName = 'turn' | 'stream';

/** What an agent is sent: a new body for each request. */
export type Ask = (agent: AgentName) => {
  readonly path: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Takes samples of servers in turns. @throws Error when one does not answer as it should. */
export async function sampled(
  servers: readonly ServerProcess[],
  rounds: number,
  amounts: Amounts,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map(servers.map((server) => [server.kind, [] as Sample[]]));
  try {
    for (const server of servers) {
      await server.verify();
      const { requests, streams, firstBytes } = amounts;
      await server.sample({ requests: 4 * requests, streams: 4 * streams, firstBytes });
    }
    for (let round = 0; round < rounds; round += 1) {
      for (let index = 0; index < servers.length; index += 1) {
        const server = servers[(index + round) % servers.length];
        if (server === undefined) continue;
        samples.get(server.kind)?.push(await server.sample(amounts));
      }
    }
  } finally {
    for (const server of servers) server.stop();
  }
  return samples;
}

/** A server in a process of its own, and how it is asked. */
export class ServerProcess {
  readonly kind: string;
  readonly #child: ChildProcess;
  readonly #sockets = new Agent({ keepAlive: true, maxSockets: 16 });
  #port = 0;

  readonly #ask: Ask;

  private constructor(program: string, kind: string, ask: Ask) {
    this.kind = kind;
    this.#ask = ask;
    this.#child = fork(join(import.meta.dirname, program), [kind], {
      env: { ...process.env, NODE_ENV: 'production' },
    });
    this.#child.on('exit', (code) => {
      if (code !== 0) throw new Error(`The server ${kind} ended with ${code}.`);
    });
  }

  static async start(program: string, kind: string, ask: Ask): Promise<ServerProcess> {
    const server = new ServerProcess(program, kind, ask);
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

  async sample({ requests, streams, firstBytes }: Amounts): Promise<Sample> {
    const ofRequests = await this.#processor(() => this.#load('turn', requests));
    const ofStreams = await this.#processor(() => this.#load('stream', streams));
    let waited = 0;
    for (let index = 0; index < firstBytes; index += 1) {
      const start = performance.now();
      await this.#post('stream', () => {
        waited += performance.now() - start;
      });
    }
    return {
      request: ofRequests / requests,
      stream: ofStreams / streams,
      firstByte: waited / firstBytes,
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
  async #load(agent: AgentName, count: number): Promise<void> {
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

  #post(agent: AgentName, onFirstByte: () => void): Promise<string> {
    const { path, body, headers } = this.#ask(agent);
    const accept = agent === 'stream' ? 'text/event-stream' : 'application/json';
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: this.#port,
          agent: this.#sockets,
          method: 'POST',
          path,
          headers: {
            ...headers,
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
