import { parseArgs } from 'node:util';
import { serve, type Served } from '@agent-functions/server/node';
import { sayWhichModel } from '../environment-model.ts';
import { serverSentEvents } from './server-sent-events.ts';
import { Transcript } from './transcript.ts';

export interface PlayOptions {
  /** An `AgentFunctionApp`. */
  readonly app: Served;
  /** Whom the conversation is had with. */
  readonly agent: string;
  /** What the user says, turn by turn. */
  readonly conversation: readonly string[];
}

/**
 * Serves an app, has a conversation with it over HTTP and prints what happens from the events, then goes on serving.
 * Takes `--port <number>` (default 7071) from the command line.
 */
export async function play({ app, agent, conversation }: PlayOptions): Promise<void> {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '7071' } } });
  const port = Number(values.port);
  const { url } = await serve(app, { port, signals: true, graceMs: 1_000 }).catch(
    (error: unknown) => {
      console.error(
        `Port ${values.port} cannot be had (${error instanceof Error ? error.message : String(error)}). Choose another: npm start -- --port 7072`,
      );
      process.exit(1);
    },
  );
  await sayWhichModel();
  const chat = `${url}/api/agents/${agent}/chat`;
  let session: string | undefined;
  for (const message of conversation) {
    console.log(`\nuser: ${message}`);
    session = await turn(chat, message, session);
  }
  console.log(`\nserves at ${url} (Ctrl-C ends). Your turn:`);
  console.log(
    `curl ${chat} -H 'content-type: application/json' -d '${JSON.stringify({ message: conversation[0] }).replaceAll("'", "'\\''")}'`,
  );
}

/** One turn of the conversation, as an event stream. Answers the session, in which the next one is asked. */
async function turn(chat: string, message: string, session?: string): Promise<string | undefined> {
  const response = await fetch(chat, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ message, ...(session === undefined ? {} : { session_id: session }) }),
  });
  if (!response.ok)
    throw new Error(`${chat} answered ${response.status}: ${await response.text()}`);
  const transcript = new Transcript((line) => console.log(line));
  let known = session;
  for await (const event of serverSentEvents(response)) {
    transcript.take(event);
    known = sessionOf(event) ?? known;
  }
  return known;
}

function sessionOf(event: unknown): string | undefined {
  if (typeof event !== 'object' || event === null || !('session_id' in event)) return undefined;
  return typeof event.session_id === 'string' ? event.session_id : undefined;
}
