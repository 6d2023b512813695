import type { Protocol } from '@agent-functions/core';

/** Agents as A2A servers. */
export function a2a(): Protocol {
  return { name: 'a2a', handlers: [] };
}
