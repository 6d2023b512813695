import { parseArgs } from 'node:util';
import type { JsonObject } from '@agent-functions/core';
import { serve, type Served } from '@agent-functions/server/node';
import { sayWhichModel } from '../environment-model.ts';
import { spelledOut, type Saying } from '../saying.ts';
import { serverSentEvents } from './server-sent-events.ts';
import { Transcript } from './transcript.ts';

export { serverSentEvents } from './server-sent-events.ts';
export { Transcript } from './transcript.ts';

export interface PlayOptions {
  /** An `AgentFunctionApp`. */
  readonly app: Served;
  /** Whom the conversation is had with. */
  readonly agent: string;
  /** What the user says, turn by turn. */
  readonly conversation: readonly Saying[];
}

/** Serves an app, has a conversation with it over HTTP and prints what happens from the events, then goes on serving. */
export async function play({ app, agent, conversation }: PlayOptions): Promise<void> {
  const url = await serveExample(app);
  const chat = `${url}/api/agents/${agent}/chat`;
  const sessions = new Map<string, string>();
  for (const saying of conversation) {
    const { user, message, context } = spelledOut(saying);
    console.log(`\n${user}: ${message}`);
    const session = await turn(chat, { message, context, session: sessions.get(user) });
    if (session !== undefined) sessions.set(user, session);
  }
  const [first] = conversation;
  if (first !== undefined) sayYourTurn(url, chat, body(spelledOut(first)));
}

/**
 * Serves an app and says which model its agents have; answers the URL. Takes `--port <number>` (default 7071) from the
 * command line.
 */
export async function serveExample(app: Served): Promise<string> {
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
  return url;
}

/** The last lines of an example: where it serves, and what to try. */
export function sayYourTurn(url: string, route: string, request: JsonObject): void {
  console.log(`\nserves at ${url} (Ctrl-C ends). Your turn:`);
  console.log(
    `curl ${route} -H 'content-type: application/json' -d '${JSON.stringify(request).replaceAll("'", "'\\''")}'`,
  );
}

interface Turn {
  readonly message: string;
  readonly context: JsonObject;
  readonly session?: string | undefined;
}

function body({ message, context, session }: Turn): JsonObject {
  return {
    message,
    ...(Object.keys(context).length === 0 ? {} : { context }),
    ...(session === undefined ? {} : { session_id: session }),
  };
}

/** One turn of the conversation, as an event stream. Answers the session, in which the next one is asked. */
async function turn(chat: string, asked: Turn): Promise<string | undefined> {
  const response = await fetch(chat, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify(body(asked)),
  });
  if (!response.ok)
    throw new Error(`${chat} answered ${response.status}: ${await response.text()}`);
  const transcript = new Transcript((line) => console.log(line));
  let known = asked.session;
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
