import { outputText, type RunEvent, type Store } from '@agent-functions/core';
import { duration, paint } from './terminal.ts';
import { withRuns } from './wrap-store.ts';

/** Shows the journal of every run of this process as lines: a run is its events, so nothing else needs to be hooked. */
export function loggedStore(store: Store, log: RunLog): Store {
  return withRuns(store, (runs) => ({
    create: async (header, first, lease) => {
      const result = await runs.create(header, first, lease);
      if (result.created) log.show(first);
      return result;
    },
    append: async (runId, events, at) => {
      await runs.append(runId, events, at);
      for (const event of events) log.show(event);
    },
    acquire: async (runId, options) => {
      const taken = await runs.acquire(runId, options);
      // Another process began it: what it did counts.
      if (taken !== undefined && !log.knows(runId)) {
        for await (const event of runs.read(runId)) log.recall(event);
      }
      return taken;
    },
  }));
}

/** Lines about runs, and what is known of each. */
export interface RunLog {
  /** Writes what a developer wants to see of an event. */
  show(event: RunEvent): void;
  /** Counts an event that was shown elsewhere. */
  recall(event: RunEvent): void;
  knows(runId: string): boolean;
}

interface Progress {
  readonly startedAt: number;
  /** When the present model call of a frame can have begun. */
  readonly turnAt: Map<string, number>;
  turns: number;
  tools: number;
  readonly toolStarts: Map<string, number>;
}

/** Writes one line for each event that a developer wants to see: run, agent, turn, tool, milliseconds, tokens. */
export function runLog(
  write: (line: string) => void,
  { verbose }: { readonly verbose: boolean },
): RunLog {
  const runs = new Map<string, Progress>();
  const take = (event: RunEvent): string | undefined => {
    const progress = runs.get(event.runId) ?? {
      startedAt: event.at,
      turnAt: new Map([[event.frame, event.at]]),
      turns: 0,
      tools: 0,
      toolStarts: new Map(),
    };
    runs.set(event.runId, progress);
    const text = describe(event, progress, verbose);
    if (event.type === 'run-end') runs.delete(event.runId);
    return text;
  };
  return {
    show: (event) => {
      const text = take(event);
      if (text === undefined) return;
      const time = new Date(event.at).toTimeString().slice(0, 8);
      write(
        `${paint('dim', `${time} ${event.runId.slice(0, 8)}`)} ${paint('cyan', event.agent)}  ${text}`,
      );
    },
    recall: (event) => void take(event),
    knows: (runId) => runs.has(runId),
  };
}

function describe(event: RunEvent, progress: Progress, verbose: boolean): string | undefined {
  switch (event.type) {
    case 'run-start':
      return 'run started';
    case 'run-resume':
      for (const frame of progress.turnAt.keys()) progress.turnAt.set(frame, event.at);
      return `run taken up again${event.attempt > 1 ? ` (attempt ${event.attempt})` : ''}`;
    case 'model-response': {
      if (event.purpose === 'turn') progress.turns += 1;
      const turnAt = progress.turnAt.get(event.frame) ?? event.at;
      progress.turnAt.set(event.frame, event.at);
      const calls = event.message.parts.flatMap((part) =>
        part.type === 'tool-call' ? [part.toolName] : [],
      );
      return facts(
        event.purpose === 'turn' ? `turn ${progress.turns}` : asides[event.purpose],
        `${event.provider}/${event.modelId}`,
        duration(event.at - turnAt),
        `${event.usage.inputTokens} in, ${event.usage.outputTokens} out`,
        event.attempts.length > 0 && paint('yellow', `${event.attempts.length} attempts failed`),
        calls.length > 0 && `calls ${calls.join(', ')}`,
      );
    }
    case 'tool-start':
      progress.toolStarts.set(event.callId, event.at);
      return verbose ? facts(`tool ${event.toolName}`, JSON.stringify(event.input)) : undefined;
    case 'tool-result': {
      progress.tools += 1;
      progress.turnAt.set(event.frame, event.at);
      const startedAt = progress.toolStarts.get(event.callId);
      const bad = event.isError && paint('red', event.how === 'ran' ? 'error' : event.how);
      return facts(
        `tool ${event.toolName}`,
        startedAt !== undefined && duration(event.at - startedAt),
        bad,
        (verbose || event.isError) && outputText(event.output),
      );
    }
    case 'interruption': {
      const { kind, toolName, id } = event.interruption;
      return paint('yellow', facts(`waits for ${kind}`, toolName ?? false, `interruption ${id}`));
    }
    case 'run-pause':
      return paint('yellow', `answer with POST /api/runs/${event.runId}/decisions`);
    case 'decision':
      progress.turnAt.set(event.frame, event.at);
      return facts('decided', event.by ?? false);
    case 'handoff':
      progress.turnAt.set(event.childFrame, event.at);
      return facts(`${handsOver[event.primitive]} ${event.to}`, event.reason ?? false);
    case 'guardrail-result':
      if (event.action === 'allow' && !verbose) return undefined;
      return facts(
        `guardrail ${event.name}`,
        event.on,
        event.action === 'allow' ? event.action : paint('yellow', event.action),
        event.message ?? false,
      );
    case 'reflection':
      return facts(
        `draft ${event.iteration + 1}`,
        event.score === undefined ? 'not judged' : `score ${event.score.toFixed(2)}`,
        event.accepted ? 'kept so far' : 'not taken',
        event.error !== undefined && paint('red', event.error.code),
        verbose && (event.feedback ?? false),
      );
    case 'frame-end':
      if (event.error !== undefined) {
        return paint('red', facts('agent failed', `${event.error.code}: ${event.error.message}`));
      }
      return verbose ? 'agent answered' : undefined;
    case 'warning':
      return paint('yellow', facts('warning', event.code, event.message));
    case 'cancel-request':
      return facts('cancel asked', event.reason ?? false);
    case 'run-end':
      return facts(
        paint(event.status === 'completed' ? 'green' : 'red', `run ${event.status}`),
        duration(event.at - progress.startedAt),
        count(event.usage.requests, 'model call'),
        count(progress.tools, 'tool'),
        `${event.usage.totalTokens} tokens`,
        event.stopReason ?? false,
        event.error !== undefined && `${event.error.code}: ${event.error.message}`,
      );
    case 'route':
      // Where somebody was chosen, the handoff says so.
      return event.to === undefined
        ? facts('routes to nobody, answers itself', event.reason ?? false)
        : undefined;
    case 'tool-checkpoint':
    case 'session-state':
    case 'compaction':
      return verbose ? event.type : undefined;
    default:
      return event satisfies never;
  }
}

/** What a model was asked for beside the turns. */
const asides = {
  route: 'asks who should answer',
  judge: 'judges a draft',
  guard: 'answer withdrawn by a guardrail',
} as const;

const handsOver = {
  transfer: 'hands over to',
  call: 'asks',
  route: 'routes to',
  chain: 'passes on to',
} as const;

function facts(...parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false).join(paint('dim', ' · '));
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
