import { UserError } from './errors.ts';
import { isJsonObject, toJson, type Json, type JsonObject } from './json.ts';

// The types of Standard Schema and Standard JSON Schema (https://standardschema.dev), copied so that core has no
// dependency. They are structural: zod, valibot (through its converter) and arktype fit as they are.

export declare namespace StandardSchema {
  interface Props<Input = unknown, Output = Input> {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Result<Output> | Promise<Result<Output>>;
    readonly jsonSchema: Converter;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  }
  interface Converter {
    readonly input: (options: ConverterOptions) => Record<string, unknown>;
    readonly output: (options: ConverterOptions) => Record<string, unknown>;
  }
  interface ConverterOptions {
    readonly target: 'draft-2020-12' | 'draft-07' | 'openapi-3.0' | ({} & string);
    readonly libraryOptions?: Record<string, unknown> | undefined;
  }
  type Result<Output> =
    | { readonly value: Output; readonly issues?: undefined }
    | { readonly issues: readonly Issue[] };
  interface Issue {
    readonly message: string;
    readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  }
}

/** Any Standard Schema that can also print JSON Schema: zod >= 4.2, arktype, valibot via its converter, `jsonSchema()`. */
export interface Schema<In = unknown, Out = In> {
  readonly '~standard': StandardSchema.Props<In, Out>;
}

/**
 * Raw JSON Schema (MCP tools, Python-style definitions) as a schema. Core brings no validator, so `validate` is
 * required: it returns the typed value, or throws with a message that a model can read.
 */
export function jsonSchema<T = unknown>(
  schema: JsonObject,
  options: { readonly validate: (value: unknown) => T },
): Schema<unknown, T> {
  const print = () => ({ ...schema });
  return {
    '~standard': {
      version: 1,
      vendor: 'json-schema',
      jsonSchema: { input: print, output: print },
      validate: (value) => {
        try {
          return { value: options.validate(value) };
        } catch (error) {
          return { issues: [{ message: error instanceof Error ? error.message : String(error) }] };
        }
      },
    },
  };
}

/** Whether a value is a schema that core can use. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const props: unknown = Reflect.get(value, '~standard');
  return (
    typeof props === 'object' &&
    props !== null &&
    'validate' in props &&
    typeof props.validate === 'function' &&
    'jsonSchema' in props &&
    typeof props.jsonSchema === 'object'
  );
}

/**
 * The JSON Schema (draft 2020-12) of what goes in, printed once and frozen: `$schema` is left out.
 *
 * @throws UserError when the value cannot be printed; `where` names the place in the caller's code.
 */
export function toJsonSchema(schema: Schema<unknown, unknown>, where: string): JsonObject {
  let printed: Json;
  try {
    printed = toJson(schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' }));
  } catch (error) {
    throw new UserError(
      `${where} cannot be printed as JSON Schema: ${error instanceof Error ? error.message : String(error)}. ` +
        'Use types that JSON has (no transforms without an input type, no dates, no bigint).',
      { cause: error },
    );
  }
  if (!isJsonObject(printed)) {
    throw new UserError(`${where} printed ${JSON.stringify(printed)}, not a JSON Schema object.`);
  }
  const { $schema: _, ...rest } = printed;
  return deepFreeze(rest);
}

/** The outcome of validation: a value, or one sentence per issue with its path, for a model or a person to read. */
export type Validated<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: string };

/** Validates without throwing. Asynchronous schemas are awaited. */
export async function validate<T>(
  schema: Schema<unknown, T>,
  value: unknown,
): Promise<Validated<T>> {
  return validateNow(schema, value);
}

/** `validate()` that answers at once where the schema does. */
export function validateNow<T>(
  schema: Schema<unknown, T>,
  value: unknown,
): Validated<T> | Promise<Validated<T>> {
  try {
    const result = schema['~standard'].validate(value);
    return 'then' in result ? result.then(toValidated, broken) : toValidated(result);
  } catch (error) {
    return broken(error);
  }
}

// A validator must not throw; one that does found nothing good.
function broken(error: unknown): { readonly ok: false; readonly issues: string } {
  return { ok: false, issues: error instanceof Error ? error.message : String(error) };
}

function toValidated<T>(result: StandardSchema.Result<T>): Validated<T> {
  if (result.issues === undefined) return { ok: true, value: result.value };
  const issues = result.issues.map((issue) => {
    const path = (issue.path ?? [])
      .map((key) => String(typeof key === 'object' ? key.key : key))
      .join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  return { ok: false, issues: issues.join('; ') };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const field of Object.values(value)) deepFreeze(field);
  }
  return value;
}
