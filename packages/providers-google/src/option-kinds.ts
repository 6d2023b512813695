import {
  commonKinds,
  kindOf,
  optionKinds,
  withMethods,
  type OptionKinds,
} from '@agent-functions/core/provider';

/** What the options of `google()` and `vertex()` may be. */
export const googleKinds: OptionKinds = {
  ...commonKinds,
  apiVersion: optionKinds.text,
  vertexai: optionKinds.flag,
  project: optionKinds.text,
  location: optionKinds.text,
  credential: kindOf(
    (value) =>
      ['getToken', 'getAccessToken'].some(
        (name) => typeof Reflect.get(Object(value), name) === 'function',
      ),
    'Write a credential: it has getToken() or getAccessToken().',
  ),
  client: withMethods('a client of @google/genai', ['generateContentStream'], ['models']),
};
