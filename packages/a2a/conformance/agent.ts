import {
  Agent,
  askForInput,
  jsonSchema,
  tool,
  type Json,
  type JsonObject,
  type Output,
} from '@agent-functions/core';
import { scriptedModel, type ScriptedTurn } from '@agent-functions/core/testing';

/** How long the agent works where the kit wants to see it at work. */
const workMs = 2_000;

/** What the agent does with a message, by the beginning of its id; the first that fits counts. */
const turns: readonly (readonly [prefix: string, turn: () => ScriptedTurn])[] = [
  ['tck-input-required', () => ({ calls: [['ask', {}]] })],
  ['tck-delayed-complete', () => ({ text: 'Done after delay', before: () => sleep(workMs) })],
  [
    'test-resubscribe-message-id',
    () => ({ text: 'Resubscribed', before: () => sleep(2 * workMs) }),
  ],
  ['tck-artifact-text', () => 'Generated text content'],
  ['tck-artifact-', () => ' '],
  ['tck-stream-artifact-text', () => 'Streamed text content'],
  ['tck-stream-artifact-file', () => ' '],
  ['tck-stream-artifact-chunked', () => 'chunk-1 chunk-2'],
  ['tck-stream-001', () => 'Stream hello from TCK'],
  ['tck-stream-003', () => 'Stream task lifecycle'],
  ['tck-stream-ordering-001', () => 'Ordered output'],
  ['', () => 'Hello from TCK'],
];

/** Answers that are no text. */
const outputs: readonly (readonly [prefix: string, output: Output])[] = [
  ['tck-artifact-file-url', file({ url: 'https://example.com/output.txt' })],
  ['tck-artifact-file', file({ data: Buffer.from('tck').toString('base64') })],
  ['tck-stream-artifact-file', file({ data: Buffer.from('tck').toString('base64') })],
  ['tck-artifact-data', { type: 'json', value: { key: 'value', count: 42 } }],
];

function file(where: { readonly url: string } | { readonly data: string }): Output {
  return {
    type: 'content',
    parts: [{ type: 'file', mediaType: 'text/plain', name: 'output.txt', ...where }],
  };
}

/**
 * The agent that the public compatibility kit expects: what it does is chosen by the beginning of the message id, so that a
 * test needs nothing beside the protocol (a2aproject/a2a-tck, `scenarios/`).
 */
export function conformanceAgent(): Agent {
  /** Ids of messages by their runs, for what sees no messages. */
  const ids = new Map<string, string>();
  const idOf = (runId: string): string => ids.get(runId) ?? '';
  const ask = tool({
    name: 'ask',
    description: 'Asks the user.',
    effect: 'read',
    parameters: jsonSchema<JsonObject>({ type: 'object' }, { validate: (value) => Object(value) }),
    execute: (_input, { answer }): Json | ReturnType<typeof askForInput> =>
      answer === undefined ? askForInput({ message: 'Please provide input' }) : answer,
  });
  const model = scriptedModel(({ messages }) => {
    const last = messages.at(-1);
    if (last?.role === 'tool') return 'Hello from TCK';
    const id = messages.findLast(({ role }) => role === 'user')?.id ?? '';
    return turns.find(([prefix]) => id.startsWith(prefix))?.[1]() ?? '';
  });
  return new Agent({
    name: 'conformance',
    description: 'Does what the compatibility kit asks.',
    model,
    tools: [ask],
    exposeTools: true,
    beforeRun: ({ messages }, { runId }) => {
      ids.set(runId, messages.at(-1)?.id ?? '');
      return undefined;
    },
    inputGuardrails: [
      {
        name: 'rejected',
        mode: 'blocking',
        check: ({ context: { runId } }) =>
          idOf(runId).startsWith('tck-reject-task')
            ? { action: 'reject', message: 'rejected' }
            : { action: 'allow' },
      },
    ],
    afterRun: (_answer, { runId }) => {
      const output = outputs.find(([prefix]) => idOf(runId).startsWith(prefix))?.[1];
      return output === undefined ? undefined : { output };
    },
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
