/** The parts of the SDK that serve, loaded when the first request needs them. */
export interface Sdk {
  readonly core: typeof import('@a2a-js/sdk');
  readonly server: typeof import('@a2a-js/sdk/server');
  readonly errors: typeof import('@a2a-js/sdk/errors');
}

let loading: Promise<Sdk> | undefined;

export function loadSdk(): Promise<Sdk> {
  return (loading ??= load());
}

async function load(): Promise<Sdk> {
  const [core, server, errors] = await Promise.all([
    import('@a2a-js/sdk'),
    import('@a2a-js/sdk/server'),
    import('@a2a-js/sdk/errors'),
  ]);
  return { core, server, errors };
}

/** What speaks protocol 0.3, loaded when somebody does. */
export function loadLegacy(): Promise<typeof import('@a2a-js/sdk/compat/v0_3/server')> {
  return import('@a2a-js/sdk/compat/v0_3/server');
}
