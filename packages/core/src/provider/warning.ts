import type { ModelStreamEvent } from '../model.ts';

/** What a wire could not say. */
export type Warning = Extract<ModelStreamEvent, { readonly type: 'warning' }>;
