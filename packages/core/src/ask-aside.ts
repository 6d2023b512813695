import type { RunEventBody } from './events.ts';
import type { Json } from './json.ts';
import { toJson } from './json.ts';
import type { LiveRun } from './live-run.ts';
import { textOf, type Message } from './message.ts';
import { ModelListener } from './model-listener.ts';
import type { Model, ModelSettings, OutputSpec } from './model.ts';
import { readResponse } from './read-response.ts';
import type { FrameState } from './frame.ts';

/** A question that the run asks a model for itself: who should answer, how good an answer is. */
export interface Aside {
  readonly purpose: 'route' | 'judge';
  readonly model: Model;
  readonly instructions: string;
  readonly question: string;
  readonly output: OutputSpec;
  readonly settings: ModelSettings;
  /** How many were asked before it and are not recorded yet. */
  readonly unrecorded: number;
}

/** What a model answered aside: its JSON, if it was JSON, and the event that records the call. */
export interface AsideAnswer {
  readonly value: Json | undefined;
  readonly event: Extract<RunEventBody, { readonly type: 'model-response' }>;
}

/**
 * Asks a model beside the conversation: nothing of it is shown. The caller records the `event` together with what it
 * makes of the answer, so that neither is there without the other.
 */
export async function askAside<C>(
  live: LiveRun<C>,
  frame: FrameState,
  aside: Aside,
): Promise<AsideAnswer> {
  const { purpose, model, question } = aside;
  const messages: Message[] = [
    {
      id: `${frame.id}.${purpose}`,
      runId: live.state.runId,
      role: 'user',
      parts: [{ type: 'text', text: question }],
    },
  ];
  const settings = settingsOf(aside.settings);
  const writing = live.journal.flush();
  if (writing !== undefined) await writing;
  live.throwIfLost();
  const span = live.span?.child(purpose, {
    provider: model.provider,
    model: model.modelId,
    agent: frame.agent,
  });
  const listener = new ModelListener(live, frame, model, { quiet: true });
  const request = {
    instructions: aside.instructions,
    messages,
    tools: [],
    output: aside.output,
    settings,
  };
  try {
    const { onEvent } = listener;
    const response = await readResponse(model, request, { signal: live.abort, onEvent });
    span?.end();
    const message: Message = {
      id: `${frame.id}.${purpose}${live.state.perRequest.length + aside.unrecorded + 1}`,
      runId: live.state.runId,
      role: 'assistant',
      parts: response.parts.filter((part) => part.type !== 'tool-call') as Message['parts'],
      agent: frame.agent,
    };
    return {
      value: readJson(textOf(message)),
      event: {
        type: 'model-response',
        purpose,
        message,
        ...listener.facts(response),
      },
    };
  } catch (error) {
    span?.end({ error });
    throw error;
  }
}

// What is meant for the conversation's turns has no meaning here: its tools, and how an answer is cut.
function settingsOf(settings: ModelSettings): ModelSettings {
  const { toolChoice: _choice, parallelToolCalls: _parallel, ...asked } = settings;
  const { maxTokens: _max, stop: _stop, ...rest } = asked;
  return rest;
}

/** The JSON of a text, in a code fence or not; `undefined` where there is none. */
export function readJson(text: string): Json | undefined {
  try {
    return toJson(JSON.parse(unfenced(text)));
  } catch {
    return undefined;
  }
}

// Some models wrap JSON in a code fence whatever they are told.
function unfenced(text: string): string {
  return /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/.exec(text)?.[1] ?? text;
}
