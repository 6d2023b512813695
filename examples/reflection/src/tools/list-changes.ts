import { tool } from '@agent-functions/core';
import { z } from 'zod';
import { changesOf } from '../changes.ts';

export const listChanges = tool({
  name: 'list_changes',
  description: 'What has changed in a version. What is internal is not for users.',
  parameters: z.object({ version: z.string().describe('Such as "2.4"') }),
  effect: 'read',
  execute: ({ version }) => {
    const changes = changesOf(version);
    if (changes === undefined) throw new Error(`There is no version ${version}.`);
    return { version, changes: [...changes] };
  },
});
