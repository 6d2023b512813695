// Not `{ createRequire }`: the banner of a one-file bundle declares that name.
import nodeModule from 'node:module';
import { join } from 'node:path';
// cure: esm-import | import { InvocationContext } from '@azure/functions'; const azf = { InvocationContext };
import azf from '@azure/functions';
// cure-end: esm-import

/** The part that is used here of what the Node worker answers for `require('@azure/functions-core')`. */
export interface FunctionsCore {
  getProgrammingModel(): unknown;
}

/** The worker's own API; nothing outside a worker. It is no package: the worker answers `require`, wherever it is called. */
export function functionsCore(): FunctionsCore | undefined {
  try {
    const core: unknown = nodeModule.createRequire(join(process.cwd(), 'index.js'))(
      '@azure/functions-core',
    );
    return isCore(core) ? core : undefined;
  } catch {
    return undefined;
  }
}

function isCore(value: unknown): value is FunctionsCore {
  return (
    typeof value === 'object' &&
    value !== null &&
    'getProgrammingModel' in value &&
    typeof value.getProgrammingModel === 'function'
  );
}

/**
 * Whether the worker runs this copy of `@azure/functions`. Each copy of the library makes itself the worker's
 * programming model when it first registers something, and the last one wins; what was set up in the others, streaming
 * first of all, is lost. The copy that won is asked for an invocation context: is it of our class?
 */
export async function runsOurCopy(core: FunctionsCore): Promise<boolean> {
  const model = core.getProgrammingModel();
  const invocation = call(model, 'getInvocationModel', {
    invocationId: 'which-copy',
    request: { invocationId: 'which-copy' },
    metadata: {
      name: 'which-copy',
      bindings: { probe: { type: 'timerTrigger', direction: 'in' } },
    },
    state: undefined,
    log: () => undefined,
  });
  const args: unknown = await call(invocation, 'getArguments');
  const context =
    typeof args === 'object' && args !== null && 'context' in args ? args.context : undefined;
  return context === undefined || context instanceof azf.InvocationContext;
}

function call(target: unknown, method: string, ...args: readonly unknown[]): unknown {
  if (typeof target !== 'object' || target === null) return undefined;
  const found: unknown = Reflect.get(target, method);
  return typeof found === 'function' ? Reflect.apply(found, target, args) : undefined;
}

export const secondCopy =
  'There are two copies of @azure/functions in this app, and the worker runs the other one: answers do not stream, ' +
  'and app.setup() and the hooks of this copy count for nothing. `npm ls @azure/functions` shows who brought it. Keep ' +
  'one: give the app itself the version, and name it under "overrides" in package.json; in a bundle, let no package ' +
  'resolve its own.';
