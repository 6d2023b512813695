import { AgentError } from './errors.ts';

const tries = 4;

/** Whether an error may be gone at the next try: what is not ours (the network, a lost answer), or says so. */
export function isTransient(error: unknown): boolean {
  return !AgentError.isInstance(error) || error.retryable;
}

/** Repeats a write that is idempotent until its answer arrives; at most four times, a little later each time. */
export async function surely<T>(write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      if (attempt >= tries || !isTransient(error)) throw error;
      await new Promise<void>((resolve) => {
        setTimeout(resolve, 10 * 3 ** attempt);
      });
    }
  }
}
