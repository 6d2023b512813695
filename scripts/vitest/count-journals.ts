/**
 * Counts the journals that tests verify. `verifyJournal()` of core/testing adds one to
 * `globalThis.__agentFunctionsJournalsVerified` for each journal it finds clean; after every test file the
 * count is appended, one number a line, to the file that AGENT_FUNCTIONS_JOURNAL_COUNT names.
 */
import { appendFileSync } from 'node:fs';
import { afterAll } from 'vitest';

const counter = '__agentFunctionsJournalsVerified';

afterAll(() => {
  const file = process.env['AGENT_FUNCTIONS_JOURNAL_COUNT'];
  const count: unknown = Reflect.get(globalThis, counter);
  Reflect.deleteProperty(globalThis, counter);
  if (file !== undefined && typeof count === 'number' && count > 0)
    appendFileSync(file, `${count}\n`);
});
