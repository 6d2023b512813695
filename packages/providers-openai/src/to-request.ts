import {
  isJsonObject,
  type FilePart,
  type Json,
  type JsonObject,
  type ModelRequest,
  type ModelSettings,
  type Part,
} from '@agent-functions/core';
import { danglingRefs, type Warning } from '@agent-functions/core/provider';
import { strictSchema } from './strict-schema.ts';

/** A request body, and what the wire could not say. */
export interface WireRequest {
  readonly body: JsonObject;
  readonly warnings: readonly Warning[];
}

/** What a converter must know beside the request. */
export interface RequestContext {
  readonly provider: string;
  readonly model: string;
  /** Neither OpenAI nor Azure. */
  readonly compatible: boolean;
  /** Whether reasoning is asked for in its encrypted form. */
  readonly encrypted: boolean;
  readonly extraBody: JsonObject;
}

/** A field and its value, or nothing: `undefined` has no JSON form. */
export function field(name: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

/** `providerOptions.openai`, and for Azure also those under its own name. */
export function vendorOptions(settings: ModelSettings, provider: string): JsonObject {
  const { providerOptions } = settings;
  return {
    ...providerOptions?.['openai'],
    ...(provider === 'openai' ? {} : providerOptions?.[provider]),
  };
}

/** Name, schema and whether strict mode holds: it is asked for, and the schema allows it. */
export interface WireSchema {
  readonly strict: boolean;
  readonly schema: JsonObject;
}

/** Converted once: tools and outputs are built once per agent and frozen. */
const schemas = new WeakMap<JsonObject, WireSchema>();

export function wireSchema(schema: JsonObject, strict: boolean): WireSchema {
  if (!strict) return { strict: false, schema };
  const known = schemas.get(schema);
  if (known !== undefined) return known;
  // The API refuses a strict schema that it cannot follow to its end.
  const closed = danglingRefs(schema).length > 0 ? undefined : strictSchema(schema);
  const wire = closed === undefined ? { strict: false, schema } : { strict: true, schema: closed };
  schemas.set(schema, wire);
  return wire;
}

/** What a choice among tools needs: without tools, vendors refuse the field. */
export function toolChoice(request: ModelRequest, named: (name: string) => Json): Json | undefined {
  const { toolChoice: choice } = request.settings;
  if (choice === undefined || request.tools.length === 0) return undefined;
  return typeof choice === 'string' ? choice : named(choice.name);
}

export function parallelToolCalls({ settings, tools }: ModelRequest): boolean | undefined {
  return tools.length === 0 ? undefined : settings.parallelToolCalls;
}

/** Letters, digits, `_` and `-`, at most 64: what a schema may be called. */
export function schemaName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || 'output';
}

/** What the model wrote as arguments, as text again. */
export function argumentsText(input: Json, compatible: boolean): string {
  if (typeof input !== 'string') return JSON.stringify(input);
  // Not JSON, as the model wrote it. Servers that parse the history of a conversation refuse all of it for that.
  return compatible ? JSON.stringify({ invalid_json: input }) : input;
}

/** A file's bytes as a data URL, or where it is. */
export function fileUrl(part: FilePart): string | undefined {
  return part.data === undefined ? part.url : `data:${part.mediaType};base64,${part.data}`;
}

export function fileName(part: FilePart): string {
  return part.name ?? `file.${part.mediaType.split('/').at(-1) ?? 'bin'}`;
}

/** The id of a file that was uploaded, or the detail of an image: from the part's own provider data. */
export function fileOption(part: FilePart, provider: string, name: string): string | undefined {
  const data = part.providerData?.[provider] ?? part.providerData?.['openai'];
  const value = isJsonObject(data) ? data[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** A part of a message or a result as a wire's content; what it cannot say there is a warning. Reasoning is left out. */
export function contentOf(
  part: Part,
  where: string,
  warnings: Warning[],
  wire: {
    readonly text: string;
    readonly file: (part: FilePart) => JsonObject | undefined;
  },
): JsonObject | undefined {
  switch (part.type) {
    case 'text':
    case 'refusal':
    case 'summary':
      return { type: wire.text, text: part.text };
    case 'file': {
      const file = wire.file(part);
      if (file === undefined) warnings.push(unsupportedPart(`A file (${part.mediaType})`, where));
      return file;
    }
    case 'reasoning':
      return undefined;
    case 'tool-call':
    case 'tool-result':
      warnings.push(unsupportedPart(`A ${part.type} (${part.toolName})`, where));
      return undefined;
    default:
      return part satisfies never;
  }
}

/** A part that this wire cannot say at its place. */
export function unsupportedPart(part: string, where: string): Warning {
  return {
    type: 'warning',
    code: 'unsupported-part',
    message: `${part} in ${where} was not sent to the model: this API has no place for it.`,
  };
}

/** A setting that this wire does not have. */
export function unsupportedSetting(name: string, api: string, instead: string): Warning {
  return {
    type: 'warning',
    code: 'unsupported-setting',
    message: `The setting ${name} was not sent: ${api} does not have it. ${instead}`,
  };
}
