import type { AgentDefinition } from './agent-definition.ts';
import { errorText } from './call-outcome.ts';
import type { FrameState } from './frame.ts';
import type { LiveRun } from './live-run.ts';

/** How long the end of a run waits for agents that call off what they began. */
const patienceMs = 5_000;

/** Tells the agents that have not answered that the run ends without them; `undefined` where none wants to know. */
export function tellAbandoned<C>(live: LiveRun<C>): Promise<void> | undefined {
  let told: Promise<void>[] | undefined;
  for (const frame of live.state.frames.values()) {
    if (frame.ended) continue;
    const agent = live.around.agent(frame.agent);
    if (agent?.onAbandoned !== undefined) (told ??= []).push(tell(live, frame, agent));
  }
  return told === undefined ? undefined : patiently(Promise.all(told));
}

async function tell<C>(
  live: LiveRun<C>,
  frame: FrameState,
  agent: AgentDefinition<C, unknown>,
): Promise<void> {
  try {
    await agent.onAbandoned?.(frame.messages.slice(), live.contextOf(frame));
  } catch (error) {
    live.log('warn', 'onAbandoned failed', { agent: agent.name, error: errorText(error) });
  }
}

async function patiently(work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs);
  });
  try {
    await Promise.race([work, enough]);
  } finally {
    clearTimeout(timer);
  }
}
