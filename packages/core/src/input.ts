import { UserError } from './errors.ts';
import { toJson, type JsonObject } from './json.ts';
import { wellFormedParts, type Message, type Part } from './message.ts';
import type { ChatRequest, InputMessage, RunInput } from './run-result.ts';

/** What a run is asked, in one form. */
export interface NormalInput {
  readonly messages: readonly Message[];
  readonly sessionId: string | undefined;
  readonly userId: string | undefined;
  readonly requestContext: JsonObject;
}

/**
 * Brings every form of input into one.
 *
 * @throws UserError for nothing to answer, both `message` and `messages`, roles that callers may not send.
 */
export function normalInput(input: RunInput, runId: string): NormalInput {
  const request: ChatRequest =
    typeof input === 'string'
      ? { message: input }
      : isMessages(input)
        ? { messages: input }
        : input;
  if (typeof request !== 'object' || request === null) {
    throw new UserError('The input of a run is a text, a list of messages, or { message, … }.');
  }
  const { message, messages } = request;
  if ((message === undefined) === (messages === undefined)) {
    throw new UserError(
      message === undefined
        ? 'The request has neither message nor messages. Send one of them.'
        : 'The request has both message and messages. Send one of them.',
    );
  }
  const given: readonly (InputMessage | Message)[] =
    messages ?? (message === undefined ? [] : [{ role: 'user', content: message }]);
  if (!Array.isArray(given)) throw new UserError('messages must be a list of messages.');
  if (given.length === 0) throw new UserError('messages is empty. Send at least one user message.');
  const normal = given.map((one, index) => normalMessage(one, index, runId));
  if (normal.at(-1)?.role === 'assistant') {
    throw new UserError('The last message is from the assistant. End with a user message.');
  }
  const context = toJson(request.context ?? {});
  if (typeof context !== 'object' || context === null || Array.isArray(context)) {
    throw new UserError('context must be an object.');
  }
  return {
    messages: normal,
    sessionId: request.sessionId ?? request.conversationId,
    userId: request.userId,
    requestContext: context as JsonObject,
  };
}

function isMessages(input: RunInput): input is readonly (InputMessage | Message)[] {
  return Array.isArray(input);
}

function normalMessage(one: InputMessage | Message, index: number, runId: string): Message {
  if (typeof one !== 'object' || one === null) {
    throw new UserError(`Message ${index + 1} is no object. Send { role, content }.`);
  }
  const { role } = one;
  if (role !== 'user' && role !== 'assistant') {
    throw new UserError(
      `Message ${index + 1} has the role ${JSON.stringify(role)}. A caller may send user and assistant messages; instructions belong to the agent.`,
    );
  }
  const content = 'content' in one ? one.content : undefined;
  const parts: readonly Part[] =
    one.parts ??
    (typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []));
  if (!Array.isArray(parts)) {
    throw new UserError(
      `The content of message ${index + 1} is neither a text nor a list of parts.`,
    );
  }
  let said = false;
  for (const part of parts) {
    if (part?.type !== 'text' && part?.type !== 'file') {
      throw new UserError(
        `Message ${index + 1} has a part of type ${JSON.stringify(part?.type)}. A caller may send text and file parts.`,
      );
    }
    if (part.type === 'text' && typeof part.text !== 'string') {
      throw new UserError(`Message ${index + 1} has a text part whose text is no text.`);
    }
    said ||= part.type !== 'text' || part.text.trim() !== '';
  }
  if (!said) throw new UserError(`Message ${index + 1} is empty. Write something.`);
  return { id: one.id ?? `in.${index + 1}`, runId, role, parts: wellFormedParts(parts) };
}
