import { setTimeout as sleep } from 'node:timers/promises';
import { content, silentLogger, tool, type Tool } from '@agent-functions/core';
import {
  completable,
  fromJsonSchema,
  ResourceTemplate,
  type McpServer,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { mcpHandler, type McpHandler } from '../../src/index.ts';

// The server that the conformance kit wants to see: tools, resources and prompts of fixed names. What core's tools can do
// they do; the rest is the SDK's, through `configure`.

/** 1 × 1 red pixel. */
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
/** No samples. */
const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

const none = z.object({});

const tools: readonly Tool[] = [
  tool({
    name: 'test_simple_text',
    description: 'Answers a text.',
    parameters: none,
    effect: 'read',
    execute: () => 'This is a simple text response for testing.',
  }),
  tool({
    name: 'test_image_content',
    description: 'Answers an image.',
    parameters: none,
    effect: 'read',
    execute: () => content([{ type: 'file', mediaType: 'image/png', data: png }]),
  }),
  tool({
    name: 'test_audio_content',
    description: 'Answers sound.',
    parameters: none,
    effect: 'read',
    execute: () => content([{ type: 'file', mediaType: 'audio/wav', data: wav }]),
  }),
  tool({
    name: 'test_error_handling',
    description: 'Fails.',
    parameters: none,
    effect: 'read',
    execute: (): string => {
      throw new Error('This tool intentionally returns an error for testing');
    },
  }),
  tool({
    name: 'test_tool_with_progress',
    description: 'Tells how far it is.',
    parameters: none,
    effect: 'read',
    async *execute() {
      for (const progress of [0, 50, 100]) {
        yield { progress, total: 100 };
        await sleep(50);
      }
      return 'Done.';
    },
  }),
];

/** Exactly the schema that the kit looks for. */
const schema2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

function addTools(server: McpServer): void {
  server.registerTool('test_embedded_resource', { description: 'Answers a resource.' }, () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  }));
  server.registerTool('test_multiple_content_types', { description: 'Answers a mix.' }, () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      { type: 'image', data: png, mimeType: 'image/png' },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: '{"test":"data","value":123}',
        },
      },
    ],
  }));
  server.registerTool('test_tool_with_logging', { description: 'Logs.' }, async (context) => {
    const { log } = context.mcpReq;
    await log('info', 'Tool execution started');
    await sleep(50);
    await log('info', 'Tool processing data');
    await sleep(50);
    await log('info', 'Tool execution completed');
    return text('Logged.');
  });
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Keeps its schema.', inputSchema: fromJsonSchema(schema2020) },
    () => text('ok'),
  );
  server.registerTool(
    'test_reconnection',
    { description: 'Drops its stream.' },
    async (context) => {
      await sleep(100);
      context.http?.closeSSE?.();
      await sleep(100);
      return text('Reconnection test completed.');
    },
  );
}

/** Tools that ask the client in the middle of a call: what sessions are for. */
function addAsking(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks the client for a model.', inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, { mcpReq }) => {
      const answer = await mcpReq.requestSampling({
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100,
      });
      return text(`LLM response: ${JSON.stringify(answer.content)}`);
    },
  );
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the person.', inputSchema: z.object({ message: z.string() }) },
    async ({ message }, { mcpReq }) => {
      const answer = await mcpReq.elicitInput({
        message,
        requestedSchema: {
          type: 'object',
          properties: {
            username: { type: 'string', description: "User's response" },
            email: { type: 'string', description: "User's email address" },
          },
          required: ['username', 'email'],
        },
      });
      return text(`User response: ${JSON.stringify(answer)}`);
    },
  );
  server.registerTool(
    'test_elicitation_sep1034_defaults',
    { description: 'Asks with defaults.' },
    async ({ mcpReq }) => {
      const { action, content: said } = await mcpReq.elicitInput({
        message: 'Please review',
        requestedSchema: {
          type: 'object',
          properties: {
            name: { type: 'string', default: 'John Doe' },
            age: { type: 'integer', default: 30 },
            score: { type: 'number', default: 95.5 },
            status: {
              type: 'string',
              enum: ['active', 'inactive', 'pending'],
              default: 'active',
            },
            verified: { type: 'boolean', default: true },
          },
        },
      });
      return text(`Elicitation completed: action=${action}, content=${JSON.stringify(said)}`);
    },
  );
  server.registerTool(
    'test_elicitation_sep1330_enums',
    { description: 'Asks for choices.' },
    async ({ mcpReq }) => {
      const { action, content: said } = await mcpReq.elicitInput({
        message: 'Please choose',
        requestedSchema: {
          type: 'object',
          properties: {
            untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
            titledSingle: {
              type: 'string',
              oneOf: [
                { const: 'value1', title: 'First Option' },
                { const: 'value2', title: 'Second Option' },
                { const: 'value3', title: 'Third Option' },
              ],
            },
            legacyEnum: {
              type: 'string',
              enum: ['opt1', 'opt2', 'opt3'],
              enumNames: ['Option One', 'Option Two', 'Option Three'],
            },
            untitledMulti: {
              type: 'array',
              items: { type: 'string', enum: ['option1', 'option2', 'option3'] },
            },
            titledMulti: {
              type: 'array',
              items: {
                anyOf: [
                  { const: 'value1', title: 'First Choice' },
                  { const: 'value2', title: 'Second Choice' },
                  { const: 'value3', title: 'Third Choice' },
                ],
              },
            },
          },
        },
      });
      return text(`Elicitation completed: action=${action}, content=${JSON.stringify(said)}`);
    },
  );
}

function addResources(server: McpServer): void {
  server.registerResource(
    'static-text',
    'test://static-text',
    { description: 'A text.', mimeType: 'text/plain' },
    (uri) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'text/plain',
          text: 'This is the content of the static text resource.',
        },
      ],
    }),
  );
  server.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'An image.', mimeType: 'image/png' },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: 'image/png', blob: png }] }),
  );
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'By id.', mimeType: 'application/json' },
    (uri, { id }) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'application/json',
          text: JSON.stringify({
            id,
            templateTest: true,
            data: `Data for ID: ${String(id)}`,
          }),
        },
      ],
    }),
  );
  server.registerResource(
    'watched-resource',
    'test://watched-resource',
    { description: 'One to watch.', mimeType: 'text/plain' },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'Watched.' }] }),
  );
  server.server.registerCapabilities({ resources: { subscribe: true }, logging: {} });
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
}

function addPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'Simple.' }, () => ({
    messages: [userSays({ type: 'text', text: 'This is a simple prompt for testing.' })],
  }));
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'With arguments.',
      argsSchema: z.object({
        arg1: completable(z.string(), () => ['paris', 'park', 'party']),
        arg2: z.string(),
      }),
    },
    ({ arg1, arg2 }) => ({
      messages: [
        userSays({ type: 'text', text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` }),
      ],
    }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'With a resource.', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({
      messages: [
        userSays({
          type: 'resource',
          resource: {
            uri: resourceUri,
            mimeType: 'text/plain',
            text: 'Embedded resource content for testing.',
          },
        }),
        userSays({ type: 'text', text: 'Please process the embedded resource above.' }),
      ],
    }),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'With an image.' }, () => ({
    messages: [
      userSays({ type: 'image', data: png, mimeType: 'image/png' }),
      userSays({ type: 'text', text: 'Please analyze the image above.' }),
    ],
  }));
}

function userSays<Content>(said: Content): { role: 'user'; content: Content } {
  return { role: 'user', content: said };
}

function text(said: string): { content: [{ type: 'text'; text: string }] } {
  return { content: [{ type: 'text', text: said }] };
}

/** What the SDK's server is given beside core's tools. */
export function configure(server: McpServer): void {
  addTools(server);
  addAsking(server);
  addResources(server);
  addPrompts(server);
}

/** @param options With sessions, clients of 2025 can be asked in the middle of a call. */
export function fixture(options: { readonly sessions: boolean }): McpHandler {
  return mcpHandler({
    name: 'conformance-fixture',
    sessions: options.sessions,
    logger: silentLogger,
    tools,
    configure,
  });
}
