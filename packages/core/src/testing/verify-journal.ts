import { journalVersion, type RunEvent } from '../events.ts';
import { idempotencyKeyOf } from '../ids.ts';
import type { Decision } from '../interruption.ts';
import { canonicalJson, toJson } from '../json.ts';
import { sumUsage, type PerRequestUsage } from '../usage.ts';
import { answerFaults } from './verify-answers.ts';

/** A broken rule of a journal: which invariant (journal.md), at which event. */
export interface JournalFault {
  readonly rule: string;
  readonly seq: number;
  readonly message: string;
}

export interface VerifyOptions {
  /** Tools of each agent: with it, a frame may only call its own (I15). */
  readonly tools?: { readonly [agent: string]: readonly string[] } | undefined;
  /** I12; default: what `run-start` says, else 10. */
  readonly maxHops?: number | undefined;
}

interface Call {
  readonly frame: string;
  readonly toolName: string;
  readonly kind: 'tool' | 'handoff';
  starts: number;
  startSeq: number;
  settled: boolean;
}

interface Decided {
  readonly callId: string | undefined;
  readonly seq: number;
  readonly decision: Decision;
}

interface Frame {
  readonly parent: string | undefined;
  ended: boolean;
  readonly unsettled: Set<string>;
  /** Children that have not ended. */
  children: number;
  /** How many handoffs led here; the targets of a chain count one after the other. */
  readonly hops: number;
  chained: number;
}

/** Every broken invariant of a journal; none for a good one. Counts itself, so that a test run can say how many it saw. */
export function journalFaults(
  events: readonly RunEvent[],
  options: VerifyOptions = {},
): readonly JournalFault[] {
  count();
  const faults: JournalFault[] = [];
  const frames = new Map<string, Frame>();
  const calls = new Map<string, Call>();
  const open = new Map<string, { readonly kind: string; readonly callId: string | undefined }>();
  const decided = new Map<string, Decided>();
  /** By call: the children that it was handed to. */
  const handoffs = new Map<string, { readonly child: string; readonly primitive: string }[]>();
  const perRequest: PerRequestUsage[] = [];
  let resumeSeq = 0;
  let paused = false;
  let maxHops = options.maxHops ?? 10;
  let ended = false;
  let cancelled = false;
  let compacts = false;

  for (const [index, event] of events.entries()) {
    const fault = (rule: string, message: string): void => {
      faults.push({ rule, seq: event.seq, message: `${event.type}: ${message}` });
    };
    if (event.seq !== index + 1) fault('I1', `seq is ${event.seq}, expected ${index + 1}`);
    if (event.v !== journalVersion) fault('I14', `version ${event.v}`);
    if (event.runId !== events[0]?.runId) fault('I1', `another run: ${event.runId}`);
    const lost = lostInJson(event);
    if (lost !== undefined) fault('I14', `does not survive JSON: ${lost}`);
    if ((index === 0) !== (event.type === 'run-start'))
      fault('I2', 'run-start must be first, once');
    if (ended) fault('I3', 'comes after run-end');
    if (event.type === 'run-start') {
      frames.set(event.frame, {
        parent: undefined,
        ended: false,
        unsettled: new Set(),
        children: 0,
        hops: 0,
        chained: 0,
      });
      compacts = event.options?.compaction !== undefined;
      maxHops = options.maxHops ?? event.options?.limits?.maxHops ?? 10;
      continue;
    }
    const frame = frames.get(event.frame);
    if (frame === undefined) {
      fault('I4', `frame ${event.frame} has not begun`);
      continue;
    }
    if (frame.ended && event.type !== 'run-end') fault('I4', `frame ${event.frame} has ended`);
    if (paused && !inboxTypes.has(event.type) && event.type !== 'run-resume') {
      fault('I10', 'comes between run-pause and run-resume');
    }
    switch (event.type) {
      case 'model-response': {
        perRequest.push({
          provider: event.provider,
          modelId: event.modelId,
          agent: event.agent,
          ...event.usage,
        });
        if (event.purpose !== 'turn') break;
        if (frame.unsettled.size > 0) fault('I7', `unsettled: ${[...frame.unsettled].join(', ')}`);
        for (const part of event.message.parts) {
          if (part.type !== 'tool-call') continue;
          if (calls.has(part.callId)) fault('I5', `call ${part.callId} is there twice`);
          const kind = part.toolName.startsWith('handoff_to_') ? 'handoff' : 'tool';
          calls.set(part.callId, {
            frame: event.frame,
            toolName: part.toolName,
            kind,
            starts: 0,
            startSeq: 0,
            settled: false,
          });
          frame.unsettled.add(part.callId);
        }
        break;
      }
      case 'tool-start': {
        const call = calls.get(event.callId);
        if (call === undefined || call.frame !== event.frame) {
          fault('I5', `no model-response of the frame has call ${event.callId}`);
          break;
        }
        if (call.settled) fault('I5', `call ${event.callId} is settled`);
        if (call.kind === 'handoff' || handoffs.has(event.callId)) {
          fault('I6', `call ${event.callId} is handed to an agent, not run`);
        }
        const decisions = [...decided.values()].filter(({ callId }) => callId === event.callId);
        if (decisions.some(({ decision }) => 'approved' in decision && !decision.approved)) {
          fault('I5', `call ${event.callId} was refused`);
        }
        if (call.starts > 0) {
          const again = decisions.some(
            ({ seq, decision }) =>
              seq > call.startSeq &&
              ('answer' in decision || ('outcome' in decision && decision.outcome === 'not-done')),
          );
          const resumed = resumeSeq > call.startSeq;
          if (!again && !(resumed && (event.effect !== 'once' || event.reconciled === true))) {
            fault('I5', `call ${event.callId} is started again without a reason`);
          }
        }
        if ([...open.values()].some((one) => one.callId === event.callId)) {
          fault('I5', `call ${event.callId} waits for an answer`);
        }
        if (event.idempotencyKey !== idempotencyKeyOf(event.runId, event.callId)) {
          fault('I13', `key ${event.idempotencyKey}`);
        }
        const allowed = options.tools?.[event.agent];
        if (allowed !== undefined && !allowed.includes(event.toolName)) {
          fault('I15', `${event.agent} has no tool ${event.toolName}`);
        }
        call.starts += 1;
        call.startSeq = event.seq;
        break;
      }
      case 'session-state': {
        const next = events[index + 1];
        if (next === undefined) break;
        if (
          next.type !== 'tool-result' ||
          next.callId !== event.callId ||
          !needsStart.has(next.how)
        ) {
          fault('I19', `call ${event.callId} does not get its result with it`);
        }
        break;
      }
      case 'tool-checkpoint': {
        const call = calls.get(event.callId);
        if (call === undefined || call.starts === 0 || call.settled) {
          fault('I6', `call ${event.callId} does not run`);
        }
        break;
      }
      case 'tool-result': {
        const call = calls.get(event.callId);
        if (call === undefined) {
          fault('I6', `no call ${event.callId}`);
          break;
        }
        if (call.settled) fault('I6', `call ${event.callId} has two results`);
        if (call.starts === 0 && needsStart.has(event.how) && !answered(decided, event.callId)) {
          fault('I6', `call ${event.callId} has how ${event.how} without a tool-start`);
        }
        if (event.how === 'handoff') {
          const children = handoffs.get(event.callId) ?? [];
          if (children.length === 0) fault('I6', `call ${event.callId} was not handed to an agent`);
          for (const { child, primitive } of children) {
            if (primitive !== 'transfer' && frames.get(child)?.ended === false) {
              fault('I6', `call ${event.callId} has a result before frame ${child} ended`);
            }
          }
        }
        call.settled = true;
        frames.get(call.frame)?.unsettled.delete(event.callId);
        break;
      }
      case 'interruption':
        if (open.has(event.interruption.id) || decided.has(event.interruption.id)) {
          fault('I9', `interruption ${event.interruption.id} is there twice`);
        }
        open.set(event.interruption.id, {
          kind: event.interruption.kind,
          callId: event.interruption.callId,
        });
        break;
      case 'decision': {
        const asked = open.get(event.decision.interruptionId);
        if (asked === undefined) {
          fault('I9', `${event.decision.interruptionId} is not open`);
          break;
        }
        if (!formOf(asked.kind, event.decision)) fault('I9', `wrong form for ${asked.kind}`);
        open.delete(event.decision.interruptionId);
        decided.set(event.decision.interruptionId, {
          callId: asked.callId,
          seq: event.seq,
          decision: event.decision,
        });
        break;
      }
      case 'handoff': {
        const hops = frame.hops + 1 + (event.primitive === 'chain' ? frame.chained : 0);
        if (event.primitive === 'chain') frame.chained += 1;
        if (hops > maxHops) fault('I12', `${hops} hops`);
        if (frames.has(event.childFrame)) fault('I4', `frame ${event.childFrame} began twice`);
        if (event.callId !== undefined) {
          const { callId, childFrame, primitive } = event;
          const children = handoffs.get(callId) ?? [];
          handoffs.set(callId, [...children, { child: childFrame, primitive }]);
        }
        frames.set(event.childFrame, {
          parent: event.frame,
          ended: false,
          unsettled: new Set(),
          children: 0,
          hops,
          chained: 0,
        });
        frame.children += 1;
        break;
      }
      case 'frame-end': {
        if (frame.unsettled.size > 0) fault('I8', `unsettled: ${[...frame.unsettled].join(', ')}`);
        if (frame.children > 0) fault('I4', 'a child has not ended');
        frame.ended = true;
        const parent = frame.parent === undefined ? undefined : frames.get(frame.parent);
        if (parent !== undefined) parent.children -= 1;
        break;
      }
      case 'cancel-request':
        cancelled = true;
        break;
      case 'run-pause':
        if (open.size === 0) fault('I10', 'nothing waits for an answer');
        if (paused) fault('I10', 'twice');
        paused = true;
        break;
      case 'run-resume':
        resumeSeq = event.seq;
        paused = false;
        break;
      case 'run-end': {
        ended = true;
        for (const [id, call] of calls) {
          if (!call.settled) fault('I8', `call ${id} is unsettled`);
        }
        if (event.status === 'completed') {
          for (const [id, one] of frames) if (!one.ended) fault('I4', `frame ${id} has not ended`);
          if (open.size > 0) fault('I9', 'an interruption is open');
          if (cancelled) fault('I3', 'a cancelled run completed');
        }
        const sum = sumUsage(perRequest);
        if (canonicalJson(toJson(event.usage)) !== canonicalJson(toJson(sum))) {
          fault('I11', `usage ${JSON.stringify(event.usage)}, sum ${JSON.stringify(sum)}`);
        }
        break;
      }
      case 'compaction': {
        const { removed, from, cleared, clearedBefore } = event;
        if (removed + cleared === 0) fault('I20', 'leaves nothing out');
        if (
          (removed === 0) !== (from === undefined) ||
          (cleared === 0) !== (clearedBefore === undefined)
        ) {
          fault('I20', 'does not say up to where');
        }
        if (!compacts) fault('I20', 'run-start says nothing of it');
        const beside = [events[index - 1], events[index + 1]];
        const turn = beside.some(
          (one) => one?.type === 'model-response' && one.frame === event.frame,
        );
        if (!turn && index + 1 < events.length) {
          fault('I20', 'comes without a turn of its frame');
        }
        break;
      }
      // See `answerFaults()`.
      case 'guardrail-result':
      case 'reflection':
      case 'route':
      case 'warning':
        break;
      default:
        event satisfies never;
    }
  }
  answerFaults(events, (event, rule, message) => {
    faults.push({ rule, seq: event.seq, message: `${event.type}: ${message}` });
  });
  return faults;
}

/**
 * Checks a journal against the invariants of journal.md (I1 to I20).
 *
 * @throws Error with every fault and the journal's outline.
 */
export function verifyJournal(events: readonly RunEvent[], options?: VerifyOptions): void {
  const faults = journalFaults(events, options);
  if (faults.length === 0) return;
  throw new Error(
    [
      'The journal breaks its rules:',
      ...faults.map(({ rule, seq, message }) => `  ${rule} at ${seq}: ${message}`),
      'The journal:',
      ...events.map(
        (event) =>
          `  ${event.seq} ${event.frame} ${event.type} ${'callId' in event ? event.callId : ''}`,
      ),
    ].join('\n'),
  );
}

const inboxTypes: ReadonlySet<string> = new Set(['decision', 'cancel-request', 'warning']);
const needsStart: ReadonlySet<string> = new Set(['ran', 'reconciled']);

/** What JSON would drop or change, as a path; `undefined` fields of objects are absent. */
function lostInJson(value: unknown, path = 'event', depth = 0): string | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : path;
  if (typeof value !== 'object' || depth > 200) return path;
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (!plain) return path;
  for (const [key, field] of Object.entries(value)) {
    if (field === undefined && !Array.isArray(value)) continue;
    const lost = lostInJson(field, `${path}.${key}`, depth + 1);
    if (lost !== undefined) return lost;
  }
  return undefined;
}

/** A question to a person is a call that nothing runs: the answer is its result. */
function answered(decided: ReadonlyMap<string, Decided>, callId: string): boolean {
  return [...decided.values()].some((one) => one.callId === callId && 'answer' in one.decision);
}

function formOf(kind: string, decision: object): boolean {
  switch (kind) {
    case 'approval':
      return 'approved' in decision;
    case 'ambiguous':
      return 'outcome' in decision;
    default:
      return 'answer' in decision || ('approved' in decision && decision.approved === false);
  }
}

// Read by the reporter that prints how many journals a test run verified.
function count(): void {
  const seen: unknown = Reflect.get(globalThis, '__agentFunctionsJournalsVerified');
  Reflect.set(
    globalThis,
    '__agentFunctionsJournalsVerified',
    (typeof seen === 'number' ? seen : 0) + 1,
  );
}
