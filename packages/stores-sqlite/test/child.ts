import { argv, exit, stdin, stdout } from 'node:process';
import type { Delta, RunEvent } from '@agent-functions/core';
import { AgentError } from '@agent-functions/core';
import { sqliteStore } from '../src/index.ts';

// A second process for processes.test.ts: does what its arguments say, and prints what it found as one line of JSON.

const [, , path = '', task = '', name = ''] = argv;
const store = sqliteStore({ path, synchronous: 'normal' });

const tell = (value: unknown): void => {
  stdout.write(`${JSON.stringify(value)}\n`);
};
const delta = (epoch: string, n: number): Delta => ({
  runId: 'r1',
  frame: 'f0',
  agent: 'weather',
  after: 1,
  epoch,
  n,
  type: 'text-delta',
  messageId: 'm1',
  delta: `${epoch}${n}`,
});
/** The parent says when. */
const told = (): Promise<void> =>
  new Promise((resolve) => {
    stdin.once('data', () => {
      resolve();
    });
  });

switch (task) {
  // Appends until the run has 200 events, from whatever end it finds, with the token that both processes share.
  case 'append': {
    await store.now();
    tell('ready');
    await told();
    const won: number[] = [];
    for (;;) {
      const seq = (await store.runs.peek('r1'))?.seq ?? 0;
      if (seq >= 200) break;
      const event: RunEvent = {
        v: 1,
        seq: seq + 1,
        at: Date.now(),
        runId: 'r1',
        frame: 'f0',
        agent: name,
        type: 'warning',
        code: 'test',
        message: name,
      };
      try {
        await store.runs.append('r1', [event], { expectedSeq: seq, token: 1 });
        won.push(event.seq);
      } catch (error) {
        if (!AgentError.isInstance(error) || error.code !== 'run_conflict') throw error;
      }
    }
    tell(won);
    break;
  }
  // Publishes a delta every 10 ms, in a new attempt after the tenth, until it is told to end.
  case 'publish': {
    let ended = false;
    void told().then(() => (ended = true));
    tell('ready');
    for (let n = 1; !ended; n++) {
      store.runs.channel?.publish('r1', [n <= 10 ? delta('a', n) : delta('b', n - 10)]);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    tell('ended');
    break;
  }
  // Opens the file when it is told, and reads from it.
  case 'open': {
    tell('ready');
    await told();
    tell((await store.sessions.load('s1')).messages.length);
    break;
  }
  // Does a little, closes nothing, and has nothing left to do.
  case 'leave': {
    await store.now();
    store.runs.channel?.publish('r1', [delta('a', 1)]);
    tell('left');
    stdin.destroy();
    break;
  }
  default:
    exit(9);
}
if (task !== 'leave') {
  await store.close?.();
  stdin.destroy();
}
