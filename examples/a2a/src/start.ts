// The conversation of the README: the travel agent serves here, the currency agent in a process of its own. Then both go
// on serving.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { sayYourTurn, serveExample, serverSentEvents, Transcript } from 'demo-model/play';
import { conversation } from './conversation.ts';

const { CURRENCY_PORT = process.argv.includes('--port') ? '0' : '7072' } = process.env;
const currency = spawn(
  process.execPath,
  [...process.execArgv, 'src/currency/serve.ts', '--port', CURRENCY_PORT],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
process.once('exit', () => currency.kill());
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => currency.kill(signal));
}
process.env['CURRENCY_AGENT_URL'] = `${await served()}/a2a/currency_agent`;

const { app } = await import('./travel/app.ts');
const url = await serveExample(app);
const chat = `${url}/api/agents/travel_agent/chat`;
let session: string | undefined;
for (const { message, answer } of conversation) {
  console.log(`\nuser: ${message}`);
  const transcript = new Transcript((line) => console.log(withoutIds(line)));
  const response = await fetch(chat, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ message, ...(session === undefined ? {} : { session_id: session }) }),
  });
  const run = new URL(response.headers.get('location') ?? '', url).href;
  const seen = await shown(response, transcript);
  session ??= seen.session;
  if (seen.asked === undefined || answer === undefined) continue;
  console.log(`\nuser: ${answer}`);
  await fetch(`${run}/decisions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ interruption_id: seen.asked, answer }]),
  });
  await shown(await fetch(`${run}/events?after=${seen.last}`), transcript);
}
sayYourTurn(url, chat, { message: conversation[1]?.message ?? '' });

interface Seen {
  readonly session: string | undefined;
  readonly last: string;
  /** The interruption that the run waits for. */
  readonly asked: string | undefined;
}

/** Prints the events of a run until it ends or waits. */
async function shown(response: Response, transcript: Transcript): Promise<Seen> {
  let seen: Seen = { session: undefined, last: '', asked: undefined };
  for await (const event of serverSentEvents(response)) {
    transcript.take(event);
    seen = next(seen, event);
  }
  return seen;
}

function next(seen: Seen, event: unknown): Seen {
  const { seq, session_id: sessionId, interruption }: Fields = Object(event);
  const { id }: Fields = Object(interruption);
  return {
    last: typeof seq === 'number' ? String(seq) : seen.last,
    session: typeof sessionId === 'string' ? sessionId : seen.session,
    asked: typeof id === 'string' ? id : seen.asked,
  };
}

type Fields = { readonly [field: string]: unknown };

/** The ids of tasks are new each time. */
function withoutIds(line: string): string {
  return line.replaceAll(/"(taskId|contextId|answered)":"[^"]*"?/g, '"$1":"…"');
}

async function served(): Promise<string> {
  for await (const line of createInterface({ input: currency.stdout })) {
    const [, address] = /^serves at (.*)$/.exec(line) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error('The currency agent ended before it served.');
}
