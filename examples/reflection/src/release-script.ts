import { call, readObject, type Conversation, type Script } from 'demo-model';
import { z } from 'zod';
import { versionIn } from './changes.ts';
import { unknownRequest } from './unknown-request.ts';

// What the model of the release writer says in the offline demo: rules that read the request, as a model would.

const changesAnswer = z.object({
  changes: z.array(z.object({ number: z.string(), what: z.string() })),
});

/** Lists all there is; then does what the feedback says, the worst first and never everything at once. */
export const releaseScript: Script = (seen) => {
  const { question, said, earlier, results } = seen;
  const listed = [...earlier, ...results].findLast(({ tool }) => tool === 'list_changes');
  if (listed === undefined) {
    const version = versionIn(question);
    return version === undefined ? { text: unknownRequest } : call('list_changes', { version });
  }
  const draft = said.findLast(({ role }) => role === 'assistant')?.text;
  if (draft !== undefined && /^(?:Improve|Your rewrite)/.test(question)) {
    return { text: improve(draft, question) };
  }
  const known = changesAnswer.safeParse(readObject(listed.output)).data;
  if (known === undefined) return { text: listed.output };
  const lines = known.changes.map(({ number, what }) => `- ${what} (${number})`);
  return { text: ['What is new:', ...lines].join('\n') };
};

function improve(draft: string, question: Conversation['question']): string {
  const lines = draft.split('\n');
  const [, heading] = /Begin with "([^"]+)"/.exec(question) ?? [];
  const [, left] = /Leave out ([^:]+):/.exec(question) ?? [];
  if (heading !== undefined || left !== undefined) {
    const internal = (left ?? '').split(', ').filter((number) => number !== '');
    return [
      heading ?? lines[0],
      ...lines.slice(1).filter((line) => !internal.some((number) => line.includes(number))),
    ].join('\n');
  }
  const [, characters] = /more than (\d+) characters/.exec(question) ?? [];
  return lines.map((line) => line.slice(0, Number(characters ?? line.length)).trim()).join('\n');
}
