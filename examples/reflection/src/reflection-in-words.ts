import { z } from 'zod';

const answer = z.object({
  agent: z.string(),
  message: z.string(),
  response: z.string(),
  kept: z.number(),
  drafts: z.array(
    z.object({
      text: z.string(),
      score: z.number().optional(),
      scores: z.record(z.string(), z.number()).optional(),
      feedback: z.string().optional(),
      better: z.boolean(),
    }),
  ),
  handoff_path: z.array(z.string()),
  model_calls: z.number(),
});
type Draft = z.infer<typeof answer>['drafts'][number];

/** What the demo route answers, as text. */
export function reflectionInWords(given: unknown): string {
  const { agent, message, response, kept, drafts, handoff_path, model_calls } = answer.parse(given);
  return [
    `user: ${indented(message)}`,
    ...drafts.flatMap((draft, index) => [
      `  draft ${index + 1}: ${indented(draft.text, '    ')}`,
      `    ${scored(draft)}; ${verdict(draft, index)}`,
      ...(draft.feedback === undefined || draft.feedback === '' ? [] : [`    ${draft.feedback}`]),
    ]),
    `  kept: draft ${kept} of ${drafts.length}, after ${model_calls} model calls`,
    `${agent}: ${indented(response)}`,
    `  path: ${handoff_path.join(' → ')}`,
  ].join('\n');
}

function scored({ score, scores = {} }: Draft): string {
  const each = Object.entries(scores).map(([name, value]) => `${name} ${value.toFixed(2)}`);
  return `score ${score?.toFixed(2) ?? 'unknown'} (${each.join(', ')})`;
}

function verdict({ better }: Draft, index: number): string {
  if (index === 0) return 'the first';
  return better ? 'better' : 'not better: dropped';
}

function indented(text: string, by = '  '): string {
  return text.replaceAll('\n', `\n${by}`);
}
