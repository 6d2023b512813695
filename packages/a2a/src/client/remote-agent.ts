import { Agent, UserError, type Message, type RunContext } from '@agent-functions/core';
import { answerTool } from './answer-tool.ts';
import { readCard, type RemoteCard } from './card.ts';
import { Connection, type Whereabouts } from './connection.ts';
import { toolNames, turnsOf } from './conversation.ts';
import { checkRemoteOptions, toReach, type RemoteAgentOptions } from './options.ts';
import { Remote } from './remote.ts';
import { remoteModel } from './remote-model.ts';
import { sendTool } from './send-tool.ts';
import { isEnded } from './turn.ts';

/**
 * An agent that works elsewhere and speaks A2A (1.0, or 0.3 where its card says so): a handoff target and a tool
 * (`asTool()`) like any other agent. What it says streams through, what it asks interrupts the run, a cancel is sent to
 * it, and a run that is resumed goes on with the same task.
 *
 * @param urlOrCard Where it is: its card is found below this address (or is this address, when it ends in `.json`). Or the
 *   card itself, as JSON; then the addresses on it are trusted.
 * @throws UserError for an address that is none, a name that is missing, options that there are not.
 */
export function remoteAgent<C = unknown, O = string>(
  urlOrCard: string | URL | object,
  options: RemoteAgentOptions<C, O> = {},
): Agent<C, O> {
  const where = `remoteAgent(${options.name === undefined ? '' : JSON.stringify(options.name)})`;
  checkRemoteOptions(where, options);
  const reach = toReach(where, options);
  const whereabouts = toWhereabouts(where, urlOrCard);
  const card = whereabouts.type === 'card' ? whereabouts.card : undefined;
  const name = options.name ?? nameOf(where, card);
  const remote = new Remote(name, new Connection(name, whereabouts, reach), {
    timeoutMs: options.timeoutMs ?? 600_000,
    requestTimeoutMs: reach.requestTimeoutMs,
    maxAnswerBytes: options.maxAnswerBytes ?? 1_048_576,
  });
  const names = toolNames(name);
  const json = options.outputType !== undefined;
  const {
    inputGuardrails,
    outputGuardrails,
    middleware,
    outputType,
    maxOutputRetries,
    streaming,
    enableConversationalAgent,
    version,
    aliases,
    exposeAgentInfo,
  } = options;
  return new Agent<C, O>({
    name,
    description: options.description ?? card?.description,
    model: remoteModel(remote, names),
    tools: [
      sendTool<C>(remote, names, {
        json,
        needsApproval: options.needsApproval ?? false,
        contextKeys: options.contextKeys ?? [],
      }),
      answerTool<C>(remote, names, { json, inputTimeoutMs: options.inputTimeoutMs }),
    ],
    // Each question of the remote agent is a turn.
    maxTurns: 200,
    // Its result is an answer, with a limit of its own.
    maxToolResultBytes: 2 * (options.maxAnswerBytes ?? 1_048_576),
    async onAbandoned(messages: readonly Message[], { runId }: RunContext<C>) {
      const turn = turnsOf(
        messages.filter((one) => one.runId === runId),
        names,
      ).at(-1);
      if (turn?.taskId !== undefined && !isEnded(turn.state)) await remote.cancel(turn.taskId);
    },
    inputGuardrails,
    outputGuardrails,
    middleware,
    outputType,
    maxOutputRetries,
    streaming,
    enableConversationalAgent,
    version,
    aliases,
    exposeAgentInfo,
  });
}

function toWhereabouts(where: string, urlOrCard: string | URL | object): Whereabouts {
  if (typeof urlOrCard !== 'string' && !(urlOrCard instanceof URL)) {
    return { type: 'card', card: readCard(where, urlOrCard) };
  }
  const url = String(urlOrCard);
  if (URL.canParse(url) && new URL(url).username + new URL(url).password !== '') {
    throw new UserError(
      `${where} has a user or a password in its address. Write them into headers, such as { authorization: 'Basic …' }.`,
    );
  }
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return { type: 'url', url };
  throw new UserError(
    `${where} got ${JSON.stringify(url)} as its address. Write where the agent is, such as 'https://example.com/currency', or give its card.`,
  );
}

function nameOf(where: string, card: RemoteCard | undefined): string {
  const name = card?.name
    .replaceAll(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^[^A-Za-z]+/, '')
    .slice(0, 53);
  if (name !== undefined && name !== '') return name;
  throw new UserError(
    `${where} has no name. Write what the agent is called here, such as name: 'currency_agent'.`,
  );
}
