import { consoleLogger, isJsonObject, toJson, type Tool } from '@agent-functions/core';
import { mcpTools } from '../../src/index.ts';
import { call } from './call.ts';

// The client that the conformance kit starts, with the URL of its server: ours, doing what a scenario wants to see.

const url = process.argv.at(-1) ?? '';
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? '';
const source = mcpTools({
  name: 'conformance',
  url,
  protocolVersion: process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? 'auto',
  // Accepts, and leaves every field to its default.
  elicit: () => ({}),
  logger: consoleLogger({ level: 'debug' }),
});

function named(tools: readonly Tool[], name: string): Tool {
  const found = tools.find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no tool ${name}.`);
  return found;
}

const tools = await source.listTools({ signal: AbortSignal.timeout(10_000), agent: 'tester' });
switch (scenario) {
  case 'initialize':
    break;
  case 'tools_call':
    await call(named(tools, 'add_numbers'), { a: 2, b: 3 });
    break;
  case 'json-schema-2020-12-preservation': {
    const { inputSchema } = named(tools, 'json_schema_2020_12_tool');
    const schema = toJson(inputSchema['~standard'].jsonSchema.input({ target: 'draft-2020-12' }));
    const echo = tools.find(
      ({ inputJsonSchema: { properties } }) =>
        isJsonObject(properties) && Object.hasOwn(properties, 'schema'),
    );
    if (echo !== undefined) await call(echo, { schema });
    break;
  }
  default:
    for (const tool of tools) await call(tool, {});
}
await source.close();
