import type {
  ChatRequest,
  InputMessage,
  Json,
  JsonObject,
  ModelSettings,
} from '@agent-functions/core';
import { contentAt, contentSchema } from './content.ts';
import {
  anyObjectAt,
  booleanAt,
  listAt,
  objectAt,
  oneOfAt,
  textAt,
  type ObjectSchema,
} from './fields.ts';
import { modelSettingsAt, modelSettingsSchema } from './model-settings.ts';
import { badRequest, Problem } from './problem.ts';

// The body of POST …/chat: its JSON Schema, and the function that enforces it and turns snake_case into core's names.

const maxMessages = 1_000;
/** What a session id may be. */
export const idPattern = /^[A-Za-z0-9._:@|~=+-]{1,128}$/;
const idForm = 'use 1 to 128 letters, digits or any of . _ : @ | ~ = + -';

const messageSchema = {
  type: 'object',
  properties: { role: { enum: ['user', 'assistant'] }, content: contentSchema },
  required: ['role', 'content'],
  additionalProperties: false,
} as const satisfies ObjectSchema;

const idSchema = { type: 'string', pattern: idPattern.source } as const;

/** The body of a chat request; exactly one of `message` and `messages`. */
export const chatRequestSchema = {
  type: 'object',
  properties: {
    message: contentSchema,
    messages: { type: 'array', items: messageSchema, minItems: 1, maxItems: maxMessages },
    session_id: idSchema,
    conversation_id: idSchema,
    user_id: { type: 'string', minLength: 1, maxLength: 256 },
    context: { type: 'object' },
    stream: { type: 'boolean' },
    model_settings: modelSettingsSchema,
    if_busy: { enum: ['reject', 'supersede'] },
    reset_conversation: { type: 'boolean' },
  },
  oneOf: [{ required: ['message'] }, { required: ['messages'] }],
  additionalProperties: false,
} as const satisfies ObjectSchema;

const examples: JsonObject = {
  examples: [
    { message: 'What is the weather in Seattle?' },
    { messages: [{ role: 'user', content: 'And tomorrow?' }] },
  ],
};

/** A chat request as core takes it, and what only the route needs. */
export interface ChatBody {
  readonly chat: Omit<ChatRequest, 'stream'>;
  readonly stream: boolean | undefined;
  readonly modelSettings: ModelSettings | undefined;
  readonly ifBusy: 'reject' | 'supersede';
  /** The conversation begins anew, under its id, before the message is read. */
  readonly resets: boolean;
}

/** @throws Problem 400 that names the field and what belongs there. */
export function toChatBody(
  body: Json | undefined,
  options: { readonly allowModelSettings: boolean },
): ChatBody {
  try {
    return read(body, options);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw badRequest(error.message, examples);
  }
}

function read(body: Json | undefined, options: { readonly allowModelSettings: boolean }): ChatBody {
  if (body === undefined) throw badRequest('The body is empty. Send JSON with a message.');
  const fields = objectAt(body, 'The body', chatRequestSchema);
  const { message, messages } = fields;
  if ((message === undefined) === (messages === undefined)) {
    throw badRequest(
      message === undefined
        ? 'The body has neither message nor messages. Send one of them.'
        : 'The body has both message and messages. Send one of them.',
    );
  }
  if (fields['model_settings'] !== undefined && !options.allowModelSettings) {
    throw badRequest('model_settings are not taken by this server. Leave them out.');
  }
  const sessionId = sessionIdOf(fields);
  const userId = fields['user_id'];
  const { context, stream } = fields;
  const reset = fields['reset_conversation'];
  const resets = reset !== undefined && booleanAt(reset, 'reset_conversation');
  if (resets && sessionId === undefined) {
    throw badRequest(
      'reset_conversation has no session_id: say which conversation begins anew, or leave both out for a new one.',
    );
  }
  const chat: ChatBody['chat'] = {
    ...(message === undefined
      ? { messages: messagesAt(messages) }
      : { message: contentAt(message, 'message') }),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(userId === undefined ? {} : { userId: userIdAt(userId) }),
    ...(context === undefined ? {} : { context: anyObjectAt(context, 'context') }),
  };
  return {
    chat,
    stream: stream === undefined ? undefined : booleanAt(stream, 'stream'),
    modelSettings:
      fields['model_settings'] === undefined
        ? undefined
        : modelSettingsAt(fields['model_settings'], 'model_settings'),
    ifBusy:
      fields['if_busy'] === undefined
        ? 'reject'
        : oneOfAt(fields['if_busy'], 'if_busy', ['reject', 'supersede']),
    resets,
  };
}

function messagesAt(value: Json | undefined): readonly InputMessage[] {
  const list = listAt(value, 'messages', { min: 1, max: maxMessages });
  const messages = list.map((each, index): InputMessage => {
    const at = `messages[${index}]`;
    const { role, content } = objectAt(each, at, messageSchema);
    if (role === 'system' || role === 'tool' || role === 'developer') {
      throw badRequest(
        `${at}.role is ${role}: callers send user and assistant messages only. Instructions belong to the agent.`,
      );
    }
    return {
      role: oneOfAt(role, `${at}.role`, ['user', 'assistant']),
      content: contentAt(content, `${at}.content`),
    };
  });
  if (messages.at(-1)?.role !== 'user') {
    throw badRequest('The last of messages is not from the user: there is nothing to answer.');
  }
  return messages;
}

function sessionIdOf(fields: JsonObject): string | undefined {
  const [session, conversation] = ['session_id', 'conversation_id'].map((key) => {
    const value = fields[key];
    return value === undefined
      ? undefined
      : textAt(value, key, { maxLength: 128, pattern: idPattern, form: idForm });
  });
  if (session !== undefined && conversation !== undefined && session !== conversation) {
    throw badRequest('session_id and conversation_id differ: they are two names of one id.');
  }
  return session ?? conversation;
}

function userIdAt(value: Json): string {
  return textAt(value, 'user_id', {
    maxLength: 256,
    pattern: /^[^\p{Cc}\p{Cs}]+$/u,
    form: 'use 1 to 256 characters without control characters',
  });
}
