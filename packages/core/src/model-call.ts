import type { AgentDefinition, Toolset } from './agent-definition.ts';
import { toToolset } from './agent-definition.ts';
import { compacted, dueCompaction } from './compaction.ts';
import type { LiveRun } from './live-run.ts';
import type { Message, Part } from './message.ts';
import { askGuarded, guardsBeside } from './guard-input.ts';
import { ModelListener } from './model-listener.ts';
import type { ModelRequest, ModelResponse, ModelSettings } from './model.ts';
import { readResponse } from './read-response.ts';
import { callIdOf, isQuiet, messageIdOf, type FrameState } from './frame.ts';
import type { Tool, ToolSource } from './tool.ts';
import { requestText } from './hand-over.ts';
import type { Span } from './tracer.ts';
import { shownTo } from './travel.ts';
import { orAbort } from './wait.ts';

/** Asks the model for the next turn of a frame, shows its deltas, and stages the `model-response`. */
export async function askModel<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
): Promise<void> {
  const started = live.logs ? performance.now() : 0;
  const turn = frame.turn + 1;
  const model = live.modelFor(frame, agent);
  const instructions =
    typeof agent.instructions === 'function'
      ? await orAbort(Promise.resolve(agent.instructions(live.contextOf(frame), agent)), live.abort)
      : agent.instructions;
  const listed = toolsOf(live, frame, agent, turn);
  const tools = listed instanceof Promise ? await listed : listed;
  // Recorded with the response: until then, whoever takes the turn up finds the same.
  const compaction = dueCompaction(live.state, frame);
  const { parent } = frame;
  const messages =
    compaction === undefined ? frame.messages : compacted(frame.messages, compaction);
  const shown = shownTo({ agent: frame.agent, parent, messages }, live.providerOf(agent));
  const request = toRequest(live, frame, agent, instructions, tools, shown);
  const writing = live.journal.flush();
  if (writing !== undefined) await writing;
  live.throwIfLost();
  const span = live.span?.child('model', {
    provider: model.provider,
    model: model.modelId,
    agent: frame.agent,
    turn,
  });
  live.beginAttempt(frame);
  if (live.watched) live.emit(frame, { type: 'turn-start', turn });
  const held = holdsText(agent);
  const beside = guardsBeside(frame, agent);
  const listener = new ModelListener(live, frame, model, {
    quiet: held || isQuiet(frame),
    waits: beside.length > 0,
  });
  const { onEvent } = listener;
  try {
    if (beside.length === 0) {
      const response = await readResponse(model, request, { signal: live.abort, onEvent });
      recordResponse(live, frame, response, listener, held, compaction);
      showResponse(live, frame, response, listener, { started, span });
    } else {
      const response = await askGuarded(live, frame, agent, listener, (signal) =>
        readResponse(model, request, { signal, onEvent }),
      );
      if (response === undefined) span?.end();
      else {
        recordResponse(live, frame, response, listener, held, compaction);
        showResponse(live, frame, response, listener, { started, span });
      }
    }
  } catch (error) {
    span?.end({ error });
    throw error;
  }
}

/** Whether what this agent says must pass something before it is shown. */
function holdsText<C>(agent: AgentDefinition<C, unknown>): boolean {
  return agent.outputGuardrails.length > 0 || agent.reflection !== undefined;
}

function showResponse<C>(
  live: LiveRun<C>,
  frame: FrameState,
  response: ModelResponse,
  listener: ModelListener<C>,
  { started, span }: { readonly started: number; readonly span: Span | undefined },
): void {
  span?.set({
    inputTokens: response.usage.inputTokens,
    outputTokens: response.usage.outputTokens,
  });
  span?.end();
  if (live.logs) logResponse(live, frame, response, listener, performance.now() - started);
}

function recordResponse<C>(
  live: LiveRun<C>,
  frame: FrameState,
  response: ModelResponse,
  listener: ModelListener<C>,
  held: boolean,
  compaction: ReturnType<typeof dueCompaction>,
): void {
  if (compaction !== undefined) live.stage(frame, compaction);
  live.stage(frame, {
    type: 'model-response',
    purpose: 'turn',
    message: toMessage(live, frame, response),
    ...listener.facts(response),
    ...(held ? { held } : {}),
  });
  const after = dueCompaction(live.state, frame, response.usage.inputTokens);
  if (after !== undefined) live.stage(frame, after);
}

function logResponse<C>(
  live: LiveRun<C>,
  frame: FrameState,
  response: ModelResponse,
  { answeredBy, attempts }: ModelListener<C>,
  ms: number,
): void {
  live.log('debug', 'model', {
    agent: frame.agent,
    turn: frame.turn,
    model: `${answeredBy.provider}/${response.modelId ?? answeredBy.modelId}`,
    ms: Math.round(ms),
    inputTokens: response.usage.inputTokens,
    outputTokens: response.usage.outputTokens,
    finishReason: response.finishReason,
    ...(attempts.length === 0 ? {} : { retries: attempts.length }),
  });
}

function toRequest<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  instructions: string | undefined,
  tools: Toolset<C>,
  messages: readonly Message[],
): ModelRequest {
  return {
    ...(instructions === undefined || instructions === '' ? {} : { instructions }),
    messages,
    tools: tools.specs,
    ...(agent.outputSpec === undefined ? {} : { output: agent.outputSpec }),
    settings: settingsOf(live, frame, agent),
  };
}

function settingsOf<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
): ModelSettings {
  const recorded = live.state.options.modelSettings;
  const settings: ModelSettings =
    recorded === undefined ? agent.modelSettings : { ...agent.modelSettings, ...recorded };
  // A forced choice is met by the first turn; forcing it again would never let the model answer.
  const choice = settings.toolChoice;
  return frame.turn > 0 && (choice === 'required' || typeof choice === 'object')
    ? { ...settings, toolChoice: 'auto' }
    : settings;
}

/** The tools that the present turn of a frame may call; sources are asked and `isEnabled` is answered once a turn. */
export function toolsOf<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  turn: number = frame.turn,
): Toolset<C> | Promise<Toolset<C>> {
  const own = live.around.toolset(agent);
  return !own.conditional && agent.toolSources.length === 0
    ? own
    : listTools(live, frame, agent, turn);
}

async function listTools<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  turn: number,
): Promise<Toolset<C>> {
  const known = live.toolsets?.get(frame.id);
  if (known?.turn === turn) return known.tools;
  const context = live.contextOf(frame);
  const enabled: Tool<C>[] = [];
  for (const one of live.around.toolset(agent).tools) {
    const enables =
      one.handoff?.isEnabled?.(context, requestText(frame)) ?? one.isEnabled?.(context) ?? true;
    if (await orAbort(Promise.resolve(enables), live.abort)) enabled.push(one);
  }
  // All are asked at once: a slow one costs its own time, not everybody's.
  const warn = (code: string, message: string): void => live.warn(frame, code, message);
  const listings = agent.toolSources.map(async (source) => ({
    source,
    listed: await settledList(source, { signal: live.abort.signal, agent: agent.name, warn }),
  }));
  for (const { source, listed } of await orAbort(Promise.all(listings), live.abort)) {
    try {
      if ('error' in listed) throw listed.error;
      for (const one of listed.tools) {
        enabled.push(enabled.some(({ name }) => name === one.name) ? renamed(one, source) : one);
      }
    } catch (error) {
      if (source.required === true || live.abort.aborted) throw error;
      const message = `The tools of ${source.name} are not available: ${error instanceof Error ? error.message : String(error)}`;
      warn('tool-source-unavailable', message);
    }
  }
  const tools = toToolset(enabled);
  (live.toolsets ??= new Map()).set(frame.id, { turn, tools });
  return tools;
}

/** What a source listed, or why it did not: one that fails must not hide the others. */
async function settledList(
  source: ToolSource,
  options: Parameters<ToolSource['listTools']>[0],
): Promise<{ readonly tools: readonly Tool[] } | { readonly error: unknown }> {
  try {
    return { tools: await source.listTools(options) };
  } catch (error) {
    return { error };
  }
}

// A name that is taken: the source's own name goes before it.
function renamed<C>(one: Tool<C>, source: ToolSource): Tool<C> {
  const prefix = source.name.replaceAll(/[^A-Za-z0-9_-]/g, '_').replace(/^[^A-Za-z]+/, '');
  return { ...one, name: `${prefix === '' ? 'source' : prefix}_${one.name}`.slice(0, 64) };
}

function toMessage<C>(live: LiveRun<C>, frame: FrameState, response: ModelResponse): Message {
  let calls = 0;
  const parts = response.parts.map((part): Part => {
    if (part.type !== 'tool-call') return part;
    const callId = callIdOf(frame, calls);
    calls += 1;
    const { toolName, input, providerData } = part;
    return providerData === undefined
      ? { type: 'tool-call', callId, toolName, input }
      : { type: 'tool-call', callId, toolName, input, providerData };
  });
  return {
    id: messageIdOf(frame),
    runId: live.state.runId,
    role: 'assistant',
    parts,
    agent: frame.agent,
  };
}
