import { shown } from './check-options.ts';
import { UserError } from './errors.ts';
import { isJsonObject, jsonSizeOver, toJson, type Json, type JsonObject } from './json.ts';

// What an app keeps with a conversation, beside its messages.

/** The state with these fields set; `null` removes one. */
export function patched(state: JsonObject, patch: JsonObject): JsonObject {
  const next = new Map<string, Json>(Object.entries(state));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) next.delete(key);
    else next.set(key, value);
  }
  return Object.fromEntries(next);
}

/** Small enough to be read and written with every run, and for a property of a table. */
const maxBytes = 32_000;

/**
 * A patch as it is recorded.
 *
 * @throws UserError for what is no JSON object, and for more than a session's state may have with it.
 */
export function checkPatch(patch: unknown, state: JsonObject): JsonObject {
  const json = toJson(patch);
  if (!isJsonObject(json)) {
    throw new UserError(
      `updateSessionState() was given ${shown(patch)}. Give it an object with the fields to set; null removes one.`,
    );
  }
  if (jsonSizeOver(patched(state, json), maxBytes) !== undefined) {
    throw new UserError(
      `The state of the session would have more than ${maxBytes} bytes, so it stays as it was. Keep large data in your own storage, and its id in the state.`,
    );
  }
  return json;
}
