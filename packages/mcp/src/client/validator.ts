import { jsonSchema, type JsonObject, type Logger, type Schema } from '@agent-functions/core';
import { isRecord } from '@agent-functions/core/provider';

/** Compiles JSON Schemas of any dialect that servers write: the validator that the MCP SDK carries, loaded with it. */
export interface Validators {
  readonly getValidator: (schema: JsonObject) => (value: unknown) => {
    readonly valid: boolean;
    readonly errorMessage: string | undefined;
  };
}

let loading: Promise<Validators> | undefined;

/** The validator that interprets schemas, and compiles no code: it starts at once, and runs wherever `eval` does not. */
export function validators(): Promise<Validators> {
  return (loading ??= load());
}

async function load(): Promise<Validators> {
  const { CfWorkerJsonSchemaValidator } =
    await import('@modelcontextprotocol/client/validators/cf-worker');
  const all = new CfWorkerJsonSchemaValidator({ shortcircuit: false });
  return { getValidator: (schema) => all.getValidator({ ...schema }) };
}

/**
 * A server's schema, whole (`$defs`, unions), as a schema of core. One that the validator cannot read is left to the
 * server, which checks its input anyway.
 */
export function toSchema(
  schema: JsonObject,
  all: Validators,
  { name, logger }: { readonly name: string; readonly logger: Logger },
): Schema<unknown, { readonly [name: string]: unknown }> {
  let check: ((value: unknown) => string | undefined) | undefined;
  return jsonSchema(schema, {
    validate: (value) => {
      check ??= compiled(schema, all, () =>
        logger.log('warn', `The input schema of ${name} cannot be read: its server checks alone.`),
      );
      const wrong = check(value);
      if (wrong !== undefined) throw new Error(wrong);
      if (!isRecord(value)) throw new Error('It must be an object.');
      return value;
    },
  });
}

/** What is wrong with a value, by a schema; nothing where the schema cannot be read. */
export function compiled(
  schema: JsonObject,
  all: Validators,
  onUnreadable: () => void,
): (value: unknown) => string | undefined {
  let unreadable = false;
  let validate: ReturnType<Validators['getValidator']> | undefined;
  return (value) => {
    if (unreadable) return undefined;
    try {
      validate ??= all.getValidator(schema);
      const { valid, errorMessage } = validate(value);
      return valid ? undefined : (errorMessage ?? 'It does not fit.').slice(0, 1_000);
    } catch {
      unreadable = true;
      onUnreadable();
      return undefined;
    }
  };
}
