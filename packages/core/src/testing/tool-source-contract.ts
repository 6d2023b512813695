import { canonicalJson, toJson, type JsonObject } from '../json.ts';
import { noUsage } from '../usage.ts';
import { ToolContent, type Tool, type ToolContext, type ToolSource } from '../tool.ts';
import { equal, ok, rejection } from './assert.ts';
import { validate } from '../schema.ts';
import type { TestFunctions } from './test-functions.ts';

/** A source of its own for one test, and which of its tools the contract may call. */
export interface ToolSourceUnderTest {
  readonly source: ToolSource;
  /** A tool that answers, an input that it takes, and a text that its answer holds. */
  readonly works: { readonly toolName: string; readonly input: JsonObject; readonly says: string };
  /** An input that a tool refuses by its schema; absent where no tool has one. */
  readonly misfit?: { readonly toolName: string; readonly input: JsonObject } | undefined;
  /** A tool and an input that fail, and a text that the error holds. */
  readonly fails?:
    | { readonly toolName: string; readonly input: JsonObject; readonly says: string }
    | undefined;
  /** A tool that takes longer than a test waits; `stopped` resolves when the other side was told to stop. */
  readonly slow?:
    | {
        readonly toolName: string;
        readonly input: JsonObject;
        readonly stopped?: Promise<unknown> | undefined;
      }
    | undefined;
  /** Makes the other side go away: what is listed or called then must fail, not hang. */
  readonly goAway?: (() => Promise<void>) | undefined;
  dispose(): Promise<void>;
}

const toolName = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** The specification of `ToolSource`. Pass the test runner's functions and how to make a source for each test. */
export function toolSourceContract(
  test: TestFunctions,
  name: string,
  make: () => Promise<ToolSourceUnderTest>,
): void {
  const it = (title: string, body: (made: ToolSourceUnderTest) => Promise<void>): void =>
    test.it(
      title,
      async () => {
        const made = await make();
        try {
          await body(made);
        } finally {
          await made.dispose();
        }
      },
      20_000,
    );

  test.describe(`tool source: ${name}`, () => {
    it('lists tools that an agent can use', async ({ source }) => {
      ok(source.name !== '', 'it has a name');
      const tools = await list(source);
      ok(tools.length > 0, 'there are tools');
      for (const tool of tools) {
        ok(toolName.test(tool.name), `models take the name ${tool.name}`);
        equal(tool.inputJsonSchema['type'], 'object', `the input of ${tool.name} is an object`);
        equal(toJson(tool.inputJsonSchema), tool.inputJsonSchema, 'its schema is JSON');
        ok(tool.effectDeclared || tool.effect === 'once', `${tool.name}: unsaid is 'once'`);
      }
      equal(new Set(tools.map((tool) => tool.name)).size, tools.length, 'names are unique');
    });

    it('lists the same tools again, also side by side', async ({ source }) => {
      const first = await list(source);
      const lists = await Promise.all([list(source), list(source)]);
      for (const again of lists) equal(again.map(summary), first.map(summary), 'the tools');
    });

    it('runs a tool on input that its schema takes', async ({ source, works }) => {
      const tool = await find(source, works.toolName);
      const input = await validate(tool.inputSchema, works.input);
      ok(input.ok, `the schema takes ${JSON.stringify(works.input)}`);
      const said = textOf(await execute(tool, input.value));
      ok(said.includes(works.says), `"${works.says}" in ${said}`);
    });

    it('says what is wrong with input that its schema does not take', async (made) => {
      if (made.misfit === undefined) return;
      const tool = await find(made.source, made.misfit.toolName);
      const result = await validate(tool.inputSchema, made.misfit.input);
      ok(!result.ok && result.issues !== '', 'refused, with issues');
    });

    it('throws what the tool says when it fails', async ({ source, fails }) => {
      if (fails === undefined) return;
      const tool = await find(source, fails.toolName);
      const error = await rejection(execute(tool, fails.input), 'the call');
      ok(error instanceof Error, 'an Error');
      ok(error.message.includes(fails.says), `"${fails.says}" in ${error.message}`);
    });

    it('stops a call within a second of an abort', async ({ source, slow }) => {
      if (slow === undefined) return;
      const tool = await find(source, slow.toolName);
      const abort = new AbortController();
      const failing = rejection(execute(tool, slow.input, abort.signal), 'the call');
      const begun = performance.now();
      abort.abort(new Error('stopped by the test'));
      await failing;
      ok(performance.now() - begun < 1_000, 'within a second');
      await slow.stopped;
    });

    it('lists nothing when the signal has fired before', async ({ source }) => {
      const signal = AbortSignal.abort(new Error('stopped before'));
      await rejection(
        Promise.resolve().then(() => source.listTools({ signal, agent: 'contract' })),
        'listing',
      );
    });

    it('fails, and does not hang, when the other side has gone', async (made) => {
      if (made.goAway === undefined) return;
      const tool = await find(made.source, made.works.toolName);
      await made.goAway();
      await rejection(execute(tool, made.works.input), 'the call');
    });

    it('closes twice as well as once, and before it was used', async ({ source }) => {
      await source.close?.();
      await source.close?.();
    });

    it('closes after use', async ({ source, works }) => {
      await execute(await find(source, works.toolName), works.input);
      await source.close?.();
      await source.close?.();
    });
  });
}

function list(source: ToolSource): Promise<readonly Tool[]> {
  return source.listTools({ signal: new AbortController().signal, agent: 'contract' });
}

async function find(source: ToolSource, wanted: string): Promise<Tool> {
  const tools = await list(source);
  const tool = tools.find((one) => one.name === wanted);
  ok(tool !== undefined, `the tool ${wanted} is there: ${tools.map((one) => one.name).join(', ')}`);
  return tool;
}

function summary({ name, description, inputJsonSchema }: Tool): JsonObject {
  return { name, description, inputJsonSchema };
}

async function execute(
  tool: Tool,
  input: unknown,
  signal: AbortSignal = new AbortController().signal,
): Promise<unknown> {
  const context: ToolContext = {
    context: undefined,
    runId: 'run-contract',
    requestContext: {},
    sessionState: {},
    usage: noUsage,
    agentPath: ['contract'],
    signal,
    callId: 'f0.t1.c1',
    toolName: tool.name,
    messages: [],
    idempotencyKey: 'run-contract/f0.t1.c1',
    progress: () => undefined,
    warn: () => undefined,
    updateSessionState: () => undefined,
    checkpoint: () => Promise.resolve(),
  };
  const output = await tool.execute(input, context);
  if (!isGenerator(output)) return output;
  let step = await output.next();
  while (step.done !== true) step = await output.next();
  return step.value;
}

function isGenerator(value: unknown): value is AsyncGenerator<unknown, unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function textOf(output: unknown): string {
  if (typeof output === 'string') return output;
  return output instanceof ToolContent
    ? canonicalJson(toJson(output.parts))
    : canonicalJson(toJson(output));
}
