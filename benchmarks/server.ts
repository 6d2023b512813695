import { ratioOf } from './rounds.ts';
import { sampled, ServerProcess, type Ask, type Sample } from './server-process.ts';
import { question } from './workloads.ts';

/** H1, H2: what a request costs a server, in processor time of its process, and when a stream begins. */
export interface ServerRatios {
  /** Processor time a request. */
  readonly request: number | undefined;
  /** Processor time a stream of 200 pieces. */
  readonly stream: number | undefined;
  /** Time from the request to the first byte of a stream. */
  readonly firstByte: number | undefined;
}

const ask: Ask = (agent) => ({
  path: `/api/agents/${agent}/chat`,
  body: JSON.stringify({ message: question }),
});

/** @throws Error when a server does not answer as it should. */
export async function measureServers(): Promise<{
  readonly toFloor: ServerRatios;
  readonly toRunner: ServerRatios;
}> {
  const servers = await Promise.all(
    ['ours', 'floor', 'runner'].map((kind) => ServerProcess.start('servers.ts', kind, ask)),
  );
  const samples = await sampled(servers, 9, { requests: 600, streams: 120, firstBytes: 40 });
  return {
    toFloor: ratiosOver(samples, 'ours', 'floor'),
    toRunner: ratiosOver(samples, 'ours', 'runner'),
  };
}

/** What one server needed, over what another one did. */
export function ratiosOver(
  samples: ReadonlyMap<string, readonly Sample[]>,
  over: string,
  under: string,
): ServerRatios {
  const to = (by: keyof Sample) =>
    ratioOf(samples.get(over), samples.get(under), (sample) => sample[by]);
  return { request: to('request'), stream: to('stream'), firstByte: to('firstByte') };
}
