import { mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

// On built packages, in fresh processes: `pnpm run budgets` builds first.
export default mergeConfig(shared, {
  test: { name: 'budgets', root: import.meta.dirname, include: ['*.test.ts'], testTimeout: 60_000 },
});
