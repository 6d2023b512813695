import type { ToolCallHow } from './how.ts';
