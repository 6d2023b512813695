import { mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

// Real processes, which start slowly when the machine is busy.
export default mergeConfig(shared, { test: { testTimeout: 30_000 } });
