import { tool } from '@agent-functions/core';
import { z } from 'zod';

const errors: Readonly<Record<string, { readonly cause: string; readonly fixedIn?: string }>> = {
  'E-417': { cause: 'the app sends notes in a form that the server takes no more', fixedIn: '5.3' },
  'E-503': { cause: 'the server is busy; the app tries again by itself' },
};

export const lookUpError = tool({
  name: 'look_up_error',
  description:
    'What an error code of the app means, and whether the version of this customer is mended.',
  parameters: z.object({ code: z.string().describe('Such as "E-417"') }),
  effect: 'read',
  execute: ({ code }, { requestContext }) => {
    const known = errors[code.toUpperCase()];
    if (known === undefined) throw new Error(`There is no error code ${code}.`);
    return { code: code.toUpperCase(), ...known, installed: requestContext['app_version'] ?? null };
  },
});
