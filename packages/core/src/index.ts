export { Agent, withContext } from './agent.ts';
export { ReflectionAgent } from './reflection-agent.ts';
export type { Evaluated, Evaluation, ReflectionOptions, ReflectionPlan } from './reflection.ts';
export type { AgentConfig, AgentDefinition, RunAnswer, RunRequest } from './agent-definition.ts';
export {
  content,
  tool,
  ToolContent,
  type Effect,
  type Reconciliation,
  type Tool,
  type ToolContext,
  type ToolGuardrails,
  type ToolKind,
  type ToolOptions,
  type ToolSource,
} from './tool.ts';
export type { AgentName, Instructions, RunContext } from './run-context.ts';
export type { AgentToolOptions } from './agent-tool.ts';
export {
  ControlReturn,
  handoff,
  HandoffMode,
  HandoffStrategy,
  type AgentLike,
  type Handoff,
  type HandoffMessage,
  type HandoffOptions,
  type HandoffPrimitive,
  type HandoffTo,
  type History,
  type Hop,
  type Lazy,
  type OutputOf,
} from './handoff.ts';
export type {
  HandoffCondition,
  HandoffConfig,
  HandoffRequest,
  HandoffTarget,
} from './handoff-config.ts';
export type { Guardrail, GuardrailCheck, GuardrailResult } from './guardrail.ts';
export type { Middleware } from './middleware.ts';
export type {
  ChatRequest,
  ContextArgument,
  InputMessage,
  Reflection,
  RunInput,
  RunOptions,
  RunResult,
  RunStream,
  StepResult,
  ToolCallResult,
} from './run-result.ts';
export {
  outputText,
  textOf,
  wireCallId,
  type FilePart,
  type Message,
  type Output,
  type Part,
  type ProviderData,
  type ReasoningPart,
  type RefusalPart,
  type Role,
  type SummaryPart,
  type TextPart,
  type ToolCallPart,
  type ToolResultPart,
} from './message.ts';
export { noUsage, sumUsage, type PerRequestUsage, type RequestUsage, type Usage } from './usage.ts';
export {
  isSchema,
  jsonSchema,
  toJsonSchema,
  validate,
  type Schema,
  type StandardSchema,
  type Validated,
} from './schema.ts';
export {
  canonicalJson,
  isJsonArray,
  isJsonObject,
  sha256Hex,
  toJson,
  type Json,
  type JsonObject,
} from './json.ts';
export type {
  FinishReason,
  LLMConfig,
  Model,
  ModelCallOptions,
  ModelCapabilities,
  ModelFactory,
  ModelName,
  ModelPart,
  ModelRegistry,
  ModelRequest,
  ModelResponse,
  ModelSettings,
  ModelStreamEvent,
  OutputSpec,
  RetryOptions,
  TokenCredential,
  ToolSpec,
} from './model.ts';
export { retry, type RetryModelOptions } from './retry.ts';
export { fallback } from './fallback.ts';
export { timeout } from './timeout.ts';
export type { TimeoutOptions } from './watchdog.ts';
export { buffered, withSettings } from './model-settings.ts';
export { models, type ModelsOptions } from './model-registry.ts';
export { costOf, priceOf, priceTable, type Price, type PriceTable } from './prices.ts';
export { withPrices } from './with-prices.ts';
export type { Decision, Interruption, InterruptionKind } from './interruption.ts';
export {
  cursorOf,
  isDurable,
  isProgress,
  journalVersion,
  parseCursor,
  type Cursor,
  type Delta,
  type ModelAttempt,
  type Compaction,
  type Principal,
  type RecordedOptions,
  type ReflectionStep,
  type RunEvent,
  type RunEventBody,
  type RunEventOf,
  type RunLimits,
  type RunStatus,
  type Settlement,
  type StopReason,
  type Watched,
} from './events.ts';
export type {
  DeltaChannel,
  Lease,
  PostResult,
  RunHeader,
  RunPeek,
  RunStore,
  SessionChange,
  SessionBase,
  SessionSnapshot,
  SessionStore,
  Signal,
  Store,
  Wake,
  WakeCall,
} from './store.ts';
export { checkRecordKey, recordText, type RecordStore, type StoredRecord } from './records.ts';
export { askForInput, waitForCallback, type Question, type QuestionOptions } from './question.ts';
export type { SessionLimits } from './session-limits.ts';
export { cleanUp, type CleanedUp } from './session-removal.ts';
export type { HandOver } from './leaving.ts';
export type { Woken } from './wake.ts';
export { memoryStore, type MemoryStoreOptions } from './memory-store.ts';
export { consoleLogger, silentLogger, type Logger, type LogLevel } from './logger.ts';
export type { Span, SpanAttributes, Tracer } from './tracer.ts';
export type {
  HostContext,
  HttpHandler,
  Protocol,
  ProtocolHost,
  ProtocolRoute,
  ProtocolRunner,
  ProtocolRunOptions,
} from './http-handler.ts';
export { publicFailure, publicInterruption, publicMessage, toPublicEvent } from './public-event.ts';
export {
  AgentError,
  httpStatusOfFailure,
  IdempotencyMismatchError,
  JournalVersionError,
  ModelBehaviorError,
  ModelError,
  NotFoundError,
  RunConflictError,
  RunIncompleteError,
  SessionBusyError,
  SessionConflictError,
  StoreFullError,
  toFailure,
  ToolCallError,
  UserError,
  type AgentErrorOptions,
  type ErrorCode,
  type ModelErrorReason,
  type RunFailure,
} from './errors.ts';
export { run } from './run.ts';
export { Runner, type HandoffToRequest, type RunnerConfig } from './runner.ts';
export type { ContextFactory } from './context-factory.ts';
export { fold } from './fold.ts';
export { keyedRunId } from './ids.ts';
export { openInterruptions, usageOf, type RunState } from './state.ts';
