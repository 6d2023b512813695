import type { Message, Part, SendMessageRequest, StreamResponse, Task } from '@a2a-js/sdk';
import {
  AgentCardResolver,
  type Client,
  ClientFactory,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  RestTransportFactory,
} from '@a2a-js/sdk/client';
import { silentLogger, type Agent, type Store } from '@agent-functions/core';
import { agentServer } from '@agent-functions/server';
import { serve } from '@agent-functions/server/node';
import { a2a, type A2AOptions } from '../src/index.ts';
import { role } from '../src/server/task-state.ts';

/** A server of ours on a port of its own. Callers are who `x-user` says. */
export interface Ours extends AsyncDisposable {
  readonly url: string;
  readonly store: Store;
  readonly server: ReturnType<typeof agentServer>;
}

export async function ours(
  agents: readonly Agent<unknown, unknown>[],
  options: A2AOptions & { readonly store?: Store; readonly authenticates?: boolean } = {},
): Promise<Ours> {
  const { store, authenticates = false, ...rest } = options;
  const server = agentServer({
    agents,
    protocols: [a2a(rest)],
    logger: silentLogger,
    ...(store === undefined ? {} : { store }),
    ...(authenticates
      ? {
          authenticate: (request) => {
            const id = request.headers.get('x-user');
            return id === null ? undefined : { id };
          },
        }
      : { allowClientSessionIds: true }),
  });
  const serving = await serve(server, { port: 0 });
  return {
    url: serving.url,
    store: server.store,
    server,
    [Symbol.asyncDispose]: () => serving.close({ graceMs: 500 }),
  };
}

export type Speech = 'JSONRPC' | 'HTTP+JSON' | '0.3';

/** The official client, over one binding or by the compatibility layer. */
export async function official(url: string, speech: Speech, user?: string): Promise<Client> {
  const fetchImpl: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    if (user !== undefined) headers.set('x-user', user);
    return fetch(input, { ...init, headers });
  };
  const isLegacy = speech === '0.3';
  const legacyCompat = { enabled: isLegacy };
  const resolver = new DefaultAgentCardResolver({ fetchImpl, legacyCompat });
  const card = await resolver.resolve(url);
  const version = isLegacy ? '0.3' : '1.0';
  const binding = isLegacy ? 'JSONRPC' : speech;
  const supportedInterfaces = card.supportedInterfaces.filter(
    (each) => each.protocolBinding === binding && each.protocolVersion === version,
  );
  return new ClientFactory({
    transports: [
      new JsonRpcTransportFactory({ fetchImpl, legacyCompat }),
      new RestTransportFactory({ fetchImpl }),
    ],
    cardResolver: AgentCardResolver.default,
  }).createFromAgentCard({ ...card, supportedInterfaces });
}

export function say(
  text: string,
  more: Partial<Message> & {
    readonly configuration?: Partial<SendMessageRequest['configuration'] & object>;
  } = {},
): SendMessageRequest {
  const { configuration, ...message } = more;
  return {
    tenant: '',
    metadata: undefined,
    message: {
      messageId: crypto.randomUUID(),
      contextId: '',
      taskId: '',
      role: role.user,
      parts: [textPart(text)],
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
      ...message,
    },
    configuration: {
      acceptedOutputModes: [],
      taskPushNotificationConfig: undefined,
      returnImmediately: false,
      ...configuration,
    },
  };
}

export function textPart(text: string): Part {
  return {
    content: { $case: 'text', value: text },
    metadata: undefined,
    filename: '',
    mediaType: '',
  };
}

/** The task of an answer. */
export function taskIn(answer: Message | Task): Task {
  if ('status' in answer) return answer;
  throw new Error('The answer is a message.');
}

export function answerOf({ artifacts }: Task): string {
  return artifacts.flatMap(({ parts }) => parts.map(textOf)).join('');
}

export function textOf({ content }: Part): string {
  return content?.$case === 'text' ? content.value : JSON.stringify(content?.value);
}

/** What a client that follows a stream ends up with. */
export function folded(events: readonly StreamResponse[]): {
  readonly states: readonly number[];
  readonly answer: string;
  readonly artifactIds: readonly string[];
  readonly taskId: string;
} {
  const states: number[] = [];
  const ids = new Set<string>();
  let answer = '';
  let taskId = '';
  for (const { payload } of events) {
    if (payload?.$case === 'task') {
      taskId = payload.value.id;
      states.push(payload.value.status?.state ?? 0);
      answer = answerOf(payload.value);
      for (const { artifactId } of payload.value.artifacts) ids.add(artifactId);
    } else if (payload?.$case === 'statusUpdate') states.push(payload.value.status?.state ?? 0);
    else if (payload?.$case === 'artifactUpdate') {
      const text = payload.value.artifact?.parts.map(textOf).join('') ?? '';
      answer = payload.value.append ? answer + text : text;
      ids.add(payload.value.artifact?.artifactId ?? '');
    }
  }
  return { states, answer, artifactIds: [...ids], taskId };
}
