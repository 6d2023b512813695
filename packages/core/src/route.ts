import type { AgentDefinition } from './agent-definition.ts';
import { askAside, type AsideAnswer } from './ask-aside.ts';
import type { Handoff } from './handoff.ts';
import type { HandoffCondition, Opening } from './handoff-config.ts';
import { requestText } from './hand-over.ts';
import { isJsonArray, isJsonObject, type Json } from './json.ts';
import type { LiveRun } from './live-run.ts';
import { textOf } from './message.ts';
import type { OutputSpec } from './model.ts';
import type { FrameState } from './frame.ts';
import { orAbort } from './wait.ts';

/** Who gets a request before the agent's first turn, and the model calls that decided it, still to be recorded. */
export interface Routed<C> {
  readonly handoff: Handoff<C> | undefined;
  readonly reason: string | undefined;
  readonly asked: readonly AsideAnswer[];
  /** A model answered nothing usable, twice. */
  readonly unusable: boolean;
}

type Route<C> = Extract<Opening<C>, { readonly type: 'route' }>;

/** The agent itself answers. */
const nobody = { handoff: undefined, reason: undefined, asked: [], unusable: false } as const;

/** Decides by conditions, in order, the first that holds; then, where the config says so, by asking the model. */
export async function decideRoute<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  route: Route<C>,
): Promise<Routed<C>> {
  const first = route.byCondition ? await byCondition(live, frame, agent, route) : nobody;
  if (first.handoff !== undefined || !route.byModel) return first;
  const decided = await byModel(live, frame, agent, route);
  return { ...decided, asked: [...first.asked, ...decided.asked] };
}

async function byCondition<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  { targets, byModel: modelIsNext }: Route<C>,
): Promise<Routed<C>> {
  const sentences = targets.flatMap(({ condition }) =>
    typeof condition === 'string' ? [condition] : [],
  );
  let judged: Judged | undefined;
  for (const { handoff, condition } of targets) {
    if (condition === undefined) continue;
    let holds: boolean;
    if (typeof condition === 'string') {
      judged ??= await judge(live, frame, agent, sentences);
      // Nobody knows what holds, so nobody knows which is the first.
      if (judged.unusable) return { ...nobody, asked: judged.asked, unusable: true };
      holds = judged.holds.has(condition);
    } else holds = await asks(live, frame, condition);
    if (holds) {
      const reason = typeof condition === 'string' ? condition : 'its condition holds';
      return { handoff, reason, asked: judged?.asked ?? [], unusable: false };
    }
  }
  const asked = judged?.asked ?? [];
  // A target without a condition takes what nobody else took; where a model chooses after that, it is for the model.
  const rest = modelIsNext ? undefined : targets.find(({ condition }) => condition === undefined);
  return rest === undefined
    ? { ...nobody, asked }
    : { handoff: rest.handoff, reason: 'no condition holds', asked, unusable: false };
}

async function asks<C>(
  live: LiveRun<C>,
  frame: FrameState,
  condition: Exclude<HandoffCondition<C>, string>,
): Promise<boolean> {
  const { context, requestContext } = live.contextOf(frame);
  const answer = condition({ message: requestText(frame), context, requestContext });
  return orAbort(Promise.resolve(answer), live.abort);
}

interface Judged {
  readonly holds: ReadonlySet<string>;
  readonly asked: readonly AsideAnswer[];
  readonly unusable: boolean;
}

/** Asks the agent's model, once for all, which sentences hold. */
async function judge<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  sentences: readonly string[],
): Promise<Judged> {
  const { value, asked } = await askTwice(live, frame, agent, {
    instructions:
      'You sort requests. Answer with the numbers of all conditions that hold for the request, as JSON; an empty list when none holds.',
    question: `${conversationOf(frame)}\n\nConditions:\n${sentences.map((one, index) => `${index + 1}. ${one}`).join('\n')}`,
    output: conditionsOutput,
    read: (json) => {
      const holds = isJsonObject(json) ? json['holds'] : undefined;
      if (!isJsonArray(holds)) return undefined;
      const named = holds.map((number) => sentences[Number(number) - 1]);
      return named.some((one) => one === undefined) ? undefined : new Set(named as string[]);
    },
  });
  return { holds: value ?? new Set(), asked, unusable: value === undefined };
}

async function byModel<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  { targets, instructions }: Route<C>,
): Promise<Routed<C>> {
  const candidates: { readonly handoff: Handoff<C>; readonly text: string }[] = [];
  for (const { handoff, condition } of targets) {
    if (typeof condition === 'function' && !(await asks(live, frame, condition))) continue;
    candidates.push({
      handoff,
      text: describe(live, handoff, typeof condition === 'string' ? condition : undefined),
    });
  }
  if (candidates.length === 0) return nobody;
  const names = candidates.map(({ handoff }) => handoff.agentName);
  const { value, asked } = await askTwice(live, frame, agent, {
    instructions: [
      'You choose which agent answers a request. Answer as JSON with the name of the agent that fits best and a short reason; agent is null when none fits.',
      ...(instructions === undefined ? [] : [instructions]),
    ].join('\n\n'),
    question: `${conversationOf(frame)}\n\nAgents:\n${candidates.map(({ text }) => `- ${text}`).join('\n')}`,
    output: choiceOutput(names),
    read: (json) => {
      if (!isJsonObject(json)) return undefined;
      const { agent: name = null, reason } = json;
      const chosen = candidates.find(({ handoff }) => handoff.agentName === name)?.handoff;
      if (chosen === undefined && name !== null) return undefined;
      return { chosen, reason: typeof reason === 'string' && reason !== '' ? reason : undefined };
    },
  });
  return {
    handoff: value?.chosen,
    reason: value?.reason,
    asked,
    unusable: value === undefined,
  };
}

/** Asks once more where the answer cannot be used. */
async function askTwice<C, T>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
  what: {
    readonly instructions: string;
    readonly question: string;
    readonly output: OutputSpec;
    readonly read: (json: Json | undefined) => T | undefined;
  },
): Promise<{ readonly value: T | undefined; readonly asked: readonly AsideAnswer[] }> {
  const { instructions, question, output, read } = what;
  const asked: AsideAnswer[] = [];
  let value: T | undefined;
  while (value === undefined && asked.length < 2) {
    const answer = await askAside(live, frame, {
      purpose: 'route',
      model: live.modelFor(frame, agent),
      instructions,
      question,
      output,
      settings: agent.modelSettings,
      unrecorded: asked.length,
    });
    asked.push(answer);
    value = read(answer.value);
  }
  return { value, asked };
}

function describe<C>(
  live: LiveRun<C>,
  { agentName, description }: Handoff<C>,
  condition: string | undefined,
): string {
  const agent = live.around.agent(agentName);
  const what = description ?? agent?.description ?? '';
  const tools = agent?.tools.map(({ name }) => name) ?? [];
  const facts = [
    what,
    condition === undefined ? '' : `Fits when: ${condition}`,
    tools.length === 0 ? '' : `Tools: ${tools.join(', ')}`,
  ].flatMap((fact) => (fact === '' ? [] : [/[.!?]$/.test(fact) ? fact : `${fact}.`]));
  return facts.length === 0 ? agentName : `${agentName}: ${facts.join(' ')}`;
}

/** How much of the conversation a router reads. */
const messagesShown = 10;

// Text only: a router needs no files and no vendor's data, and no vendor refuses a text.
function conversationOf(frame: FrameState): string {
  const before = frame.messages
    .slice(0, frame.messages.length - frame.request.length)
    .slice(-messagesShown)
    .flatMap((message) => {
      const text = textOf(message);
      return text === '' ? [] : [`${message.role}: ${text}`];
    });
  const request = `Request: ${requestText(frame)}`;
  return before.length === 0 ? request : `Conversation:\n${before.join('\n')}\n\n${request}`;
}

const conditionsOutput: OutputSpec = {
  name: 'conditions',
  strict: true,
  schema: {
    type: 'object',
    properties: { holds: { type: 'array', items: { type: 'integer' } } },
    required: ['holds'],
    additionalProperties: false,
  },
};

function choiceOutput(names: readonly string[]): OutputSpec {
  return {
    name: 'choice',
    strict: true,
    schema: {
      type: 'object',
      properties: {
        agent: { type: ['string', 'null'], enum: [...names, null] },
        reason: { type: 'string' },
      },
      required: ['agent', 'reason'],
      additionalProperties: false,
    },
  };
}
