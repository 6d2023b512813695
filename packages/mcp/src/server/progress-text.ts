import type { Watched } from '@agent-functions/core';

/** What there is to say of an event while a client waits; nothing of most. What may still be withdrawn is not said. */
export function progressText(event: Watched): string | undefined {
  switch (event.type) {
    case 'turn-start':
      return `${event.agent} thinks`;
    case 'tool-start':
      return `${event.agent} calls ${event.toolName}`;
    case 'tool-progress':
      return typeof event.data === 'string' ? event.data : JSON.stringify(event.data);
    case 'handoff':
      return `${event.agent} asks ${event.to}`;
    case 'reflection':
      return `${event.agent} looks over its answer`;
    case 'model-retry':
      return `${event.agent} tries again`;
    default:
      return undefined;
  }
}
