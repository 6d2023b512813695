import {
  askForInput,
  isJsonObject,
  toJson,
  type Json,
  type JsonObject,
  type Question,
  type ToolContext,
} from '@agent-functions/core';
import { isRecord, recordOf, stringOf, type Fields } from '@agent-functions/core/provider';
import { compiled, type Validators } from './validator.ts';

// https://modelcontextprotocol.io/specification/2026-07-28: a server that needs something ends the call with an
// `input_required` result; the same call is made again with the answers. The run waits in between, for days if need be.

/** What a server wants before it goes on. */
export interface InputRequired {
  readonly requests: { readonly [key: string]: Fields };
  readonly requestState: string | undefined;
}

export function toInputRequired(result: unknown): InputRequired | undefined {
  if (!isRecord(result) || result['resultType'] !== 'input_required') return undefined;
  const requests: { [key: string]: Fields } = {};
  for (const [key, request] of Object.entries(recordOf(result['inputRequests']))) {
    requests[key] = recordOf(request);
  }
  return { requests, requestState: stringOf(result['requestState']) };
}

/** The method of a request that agents do not do for servers: sampling, roots. */
export function refusedMethod({ requests }: InputRequired): string | undefined {
  const refused = Object.values(requests).find(({ method }) => method !== 'elicitation/create');
  return refused === undefined ? undefined : (stringOf(refused['method']) ?? 'something unknown');
}

/** The question to whoever answers for this run; `wrong`: what is wrong with the answer before. */
export function toQuestion(
  { requests, requestState }: InputRequired,
  options: {
    readonly server: string;
    readonly timeoutMs: number | undefined;
    readonly wrong?: string;
  },
): Question {
  const entries = Object.entries(requests).map(
    ([key, request]) => [key, recordOf(request['params'])] as const,
  );
  const says = entries.map(([, params]) => {
    const url = stringOf(params['url']);
    return `${stringOf(params['message']) ?? ''}${url === undefined ? '' : `\nOpen ${url} and answer true when it is done.`}`;
  });
  const schemas = entries.map(([key, params]) => [key, schemaOf(params)] as const);
  const [only] = schemas;
  const text = says.join('\n').trim() || 'It needs input.';
  return askForInput({
    message: `${options.server} asks: ${text}${options.wrong === undefined ? '' : `\nThe answer before does not fit: ${options.wrong}`}`,
    schema:
      schemas.length === 1 && only !== undefined
        ? only[1]
        : {
            type: 'object',
            properties: Object.fromEntries(schemas),
            required: schemas.map(([key]) => key),
          },
    timeoutMs: options.timeoutMs,
    checkpoint: {
      mcp: toJson({ requests, ...(requestState === undefined ? {} : { requestState }) }),
    },
  });
}

/** What was asked in the call before this one, by what it recorded. */
export function askedBefore({ lastCheckpoint }: ToolContext): InputRequired | undefined {
  const asked =
    lastCheckpoint !== undefined && isJsonObject(lastCheckpoint)
      ? lastCheckpoint['mcp']
      : undefined;
  return asked !== undefined && isJsonObject(asked)
    ? toInputRequired({ resultType: 'input_required', inputRequests: asked['requests'], ...asked })
    : undefined;
}

/**
 * The answers as the server wants them: `null` or `false` declines. Or what is wrong with them.
 *
 * Where several things were asked, the answer has one field for each.
 */
export function toResponses(
  { requests }: InputRequired,
  answer: Json,
  all: Validators,
): { readonly responses: JsonObject } | { readonly wrong: string } {
  const keys = Object.keys(requests);
  const responses: { [key: string]: Json } = {};
  for (const [key, request] of Object.entries(requests)) {
    const given = keys.length === 1 ? answer : isJsonObject(answer) ? (answer[key] ?? null) : null;
    const params = recordOf(request['params']);
    if (given === null || given === false) responses[key] = { action: 'decline' };
    else if (typeof params['url'] === 'string') responses[key] = { action: 'accept' };
    else {
      const wrong = compiled(schemaOf(params), all, () => undefined)(given);
      if (wrong !== undefined) return { wrong: keys.length === 1 ? wrong : `${key}: ${wrong}` };
      responses[key] = { action: 'accept', content: given };
    }
  }
  return { responses };
}

function schemaOf(params: Fields): JsonObject {
  if (typeof params['url'] === 'string') return { type: 'boolean' };
  const schema = isRecord(params['requestedSchema']) ? toJson(params['requestedSchema']) : {};
  return isJsonObject(schema) ? schema : {};
}
