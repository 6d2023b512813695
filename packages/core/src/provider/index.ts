// For people who write a provider: what is the same in all of them.

export {
  AnswerStream,
  type AnswerCall,
  type AnswerReader,
  type Incoming,
} from './answer-stream.ts';
export { orAborted } from './or-aborted.ts';
export { once } from './once.ts';
export { keptToken, type GivenToken, type KeptToken, type Token } from './kept-token.ts';
export { brokenCall, causesOf, WireError } from './broken-call.ts';
export { failedCall, reasonOfStatus, type CallFailure, type ErrorContext } from './failed-call.ts';
export { thrownAnswer, type ThrownAnswer } from './thrown-answer.ts';
export { retryAfterMs, type HeaderReader } from './retry-after.ts';
export { redact, type Secrets } from './redact.ts';
export {
  checkOptions,
  kindOf,
  oneOf,
  optionKinds,
  withMethods,
  type OptionKind,
  type OptionKinds,
} from './option-kinds.ts';
export {
  commonKinds,
  defaultSettings,
  optionText,
  type LLMConfigOptions,
  type ProviderOptions,
} from './common-options.ts';
export { isHeaderText, notAHeader, readVariable, type Environment } from './environment.ts';
export { withExtras } from './extra-body.ts';
export { danglingRefs, danglingWarnings, resolveRef } from './schema-refs.ts';
export { wireIds, type WireIds } from './wire-ids.ts';
export type { Warning } from './warning.ts';
export {
  isRecord,
  listOf,
  numberOf,
  parsed,
  recordOf,
  recordsOf,
  stringOf,
  type Fields,
} from './wire-json.ts';
