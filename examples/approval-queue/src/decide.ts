// The other terminal: shows what waits, and answers it.
//   node src/decide.ts                            what waits
//   node src/decide.ts 1 approve [--euros 40]     the first of the list; with another amount
//   node src/decide.ts 1 refuse [--why "…"]
import { parseArgs } from 'node:util';
import { z } from 'zod';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:7071' },
    euros: { type: 'string' },
    why: { type: 'string' },
  },
});
const queue = z.object({
  waiting: z.array(
    z.object({
      run_id: z.string(),
      interruption_id: z.string(),
      tool: z.string(),
      input: z.record(z.string(), z.json()),
    }),
  ),
});
const waiting = await whatWaits();
const [number, answer] = positionals;
if (number === undefined) {
  for (const [index, { tool, input }] of waiting.entries()) {
    console.log(`${index + 1}. ${tool} ${JSON.stringify(input)}`);
  }
  if (waiting.length === 0) console.log('nothing waits');
} else await decide();

async function whatWaits() {
  const response = await fetch(`${values.url}/api/approvals`).catch(() => undefined);
  if (response !== undefined) return queue.parse(await response.json()).waiting;
  console.error(`Nobody answers at ${values.url}. Start the server, or name it: --url <address>.`);
  return process.exit(1);
}

async function decide(): Promise<void> {
  const asked = waiting[Number(number) - 1];
  if (asked === undefined) {
    console.error(`There is no ${number}: ${waiting.length} wait.`);
    process.exitCode = 1;
    return;
  }
  if (answer !== 'approve' && answer !== 'refuse') {
    console.error('Say what: 1 approve [--euros 40], or 1 refuse [--why "…"].');
    process.exitCode = 1;
    return;
  }
  const edited =
    values.euros === undefined ? undefined : { ...asked.input, euros: Number(values.euros) };
  const decision =
    answer === 'approve'
      ? { approved: true, input: edited }
      : { approved: false, message: values.why };
  const response = await fetch(`${values.url}/api/runs/${asked.run_id}/decisions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ interruption_id: asked.interruption_id, ...decision }]),
  });
  console.log(response.status === 202 ? `${answer}d` : await response.text());
  if (response.status !== 202) process.exitCode = 1;
}
