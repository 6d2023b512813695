import { isRecord, listOf, recordOf, stringOf } from '@agent-functions/core/provider';
import type { Transport } from '@modelcontextprotocol/client';

/** The SDK's schema of a tool, of which this is used. */
interface ToolSchema {
  readonly '~standard': { readonly validate: (value: unknown) => unknown };
}

/**
 * Takes tools that do not fit the protocol out of what a server lists, before the SDK sees them: it would refuse the whole
 * list for one of them. It lets everything through until it is turned on.
 */
export class ToolSieve {
  readonly #schema: ToolSchema;
  #on = false;
  #leftOut = new Map<string, string>();

  constructor(schema: ToolSchema) {
    this.#schema = schema;
  }

  get on(): boolean {
    return this.#on;
  }

  /** What was taken out of the present listing: names, and what does not fit. */
  get leftOut(): ReadonlyMap<string, string> {
    return this.#leftOut;
  }

  turnOn(): void {
    this.#on = true;
  }

  /** A new listing begins. */
  begin(): void {
    this.#leftOut = new Map();
  }

  /** Looks at every message that this transport hands on. */
  watch(transport: Transport): void {
    let handOn: Transport['onmessage'];
    const look: NonNullable<Transport['onmessage']> = (message, extra) => {
      if (this.#on && 'result' in message && Array.isArray(message.result['tools'])) {
        const tools = message.result['tools'].filter((one) => this.#keep(one));
        handOn?.({ ...message, result: { ...message.result, tools } }, extra);
      } else handOn?.(message, extra);
    };
    Object.defineProperty(transport, 'onmessage', {
      configurable: true,
      get: () => (handOn === undefined ? undefined : look),
      set: (given: Transport['onmessage']) => {
        handOn = given;
      },
    });
  }

  #keep(tool: unknown): boolean {
    const { issues } = recordOf(this.#schema['~standard'].validate(tool));
    if (!Array.isArray(issues) || issues.length === 0) return true;
    const name = stringOf(recordOf(tool)['name']) ?? `(no name, ${this.#leftOut.size + 1})`;
    this.#leftOut.set(name.slice(0, 100), issueText(issues[0]));
    return false;
  }
}

function issueText(issue: unknown): string {
  const { path, message } = recordOf(issue);
  const where = listOf(path)
    .map((one) => String(isRecord(one) ? one['key'] : one))
    .join('.');
  return `${where === '' ? 'it' : where}: ${stringOf(message) ?? 'it does not fit'}`.slice(0, 200);
}
