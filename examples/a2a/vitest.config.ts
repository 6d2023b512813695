export { default } from '../demo-model/vitest.shared.ts';
