import {
  commonKinds,
  kindOf,
  optionKinds,
  withMethods,
  type OptionKinds,
} from '@agent-functions/core/provider';

const place: OptionKinds = {
  host: optionKinds.address,
  apiKey: commonKinds.apiKey,
  headers: commonKinds.headers,
  fetch: commonKinds.fetch,
  client: withMethods('a client of the ollama SDK', ['chat', 'list']),
};

/** What the options of `ollama()` may be. */
export const ollamaKinds: OptionKinds = {
  ...commonKinds,
  ...place,
  deployment: optionKinds.any,
  keepAlive: kindOf(
    (value) => typeof value === 'string' || typeof value === 'number',
    "It is a duration such as '10m', or a number of seconds.",
  ),
  numCtx: kindOf(
    (value) => typeof value === 'number' && Number.isInteger(value) && value > 0,
    'It is the context window in tokens, such as 16384.',
  ),
  think: kindOf(
    (value) =>
      typeof value === 'boolean' || value === 'low' || value === 'medium' || value === 'high',
    "It is true, false, 'low', 'medium' or 'high'; other levels of a model go into extraBody.",
  ),
};

/** What the options of `listModels()` may be. */
export const listKinds: OptionKinds = { ...place, signal: optionKinds.any };
