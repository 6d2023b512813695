export {
  scriptedModel,
  UnscriptedCallError,
  type Script,
  type ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedTurnFunction,
} from './scripted-model.ts';
export type { ScriptedAnswer, ScriptedCall, ScriptedTurn, Wait } from './scripted-turn.ts';
export { gate, type Gate } from './gate.ts';
export { seededRandom } from './seeded-random.ts';
export { collect, equal, eventually, ok, rejection } from './assert.ts';
export type { TestFunctions } from './test-functions.ts';
export { storeContract } from './store-contract.ts';
export { storeChaosContract } from './store-chaos-contract.ts';
export type { MakeStore, StoreLimits, StoreUnderTest, StoreVolume } from './store-case.ts';
export {
  faultyStore,
  type FaultyStoreOptions,
  type StoreCall,
  type StoreChaos,
  type StoreFault,
  type StoreMethod,
} from './faulty-store.ts';
export {
  journalFaults,
  verifyJournal,
  type JournalFault,
  type VerifyOptions,
} from './verify-journal.ts';
export { modelContract, type ModelHarness } from './model-contract.ts';
export type { ModelUnderTest, SentRequest } from './model-fixture.ts';
export {
  contractSecret,
  type ModelScenario,
  type ModelScenarioName,
  type ServerAnswer,
  type ServerFailure,
  type ServerReply,
} from './model-scenario.ts';
export { playAnswer, type AnswerSocket, type AnswerWire } from './play-answer.ts';
export { playReplies, type ReplyServer, type ReplyWire } from './reply-server.ts';
export {
  cutAnswer,
  jsonAnswer,
  slicedAnswer,
  streamAnswer,
  wireServer,
  type CreateServer,
  type HttpAnswer,
  type HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  type HttpServer,
  type ReceivedRequest,
  type WireServer,
  type WireServerOptions,
} from './wire-server.ts';
export {
  modelEvents,
  modelRequest,
  modelResponse,
  userMessage,
  weatherTool,
} from './call-model.ts';
export { toolSourceContract, type ToolSourceUnderTest } from './tool-source-contract.ts';
export {
  serverContract,
  type MakeServer,
  type ServerLimits,
  type ServerOptionsUnderTest,
  type ServerUnderTest,
  type WireInit,
  type WireRequest,
  type WireResponse,
} from './server-contract.ts';
