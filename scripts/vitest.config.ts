import { mergeConfig } from 'vitest/config';
import shared from '../vitest.shared.ts';

// The budgets need built packages and run by themselves: `pnpm run budgets`.
export default mergeConfig(shared, {
  test: { include: ['*.test.ts', 'lib/*.test.ts', 'vitest/*.test.ts'] },
});
