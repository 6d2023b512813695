import { describe, expect, test } from 'vitest';
import { nobodyThere, printedBy, ran } from './printed.ts';

const missing: { readonly [file: string]: string } = {
  openai: 'set OPENAI_API_KEY',
  'azure-openai': 'set AZURE_OPENAI_ENDPOINT',
  'azure-ai': 'set AZURE_AI_ENDPOINT',
  anthropic: 'set ANTHROPIC_API_KEY',
  google: 'set GOOGLE_API_KEY or GEMINI_API_KEY',
  vertex: 'set GOOGLE_CLOUD_PROJECT',
  ollama: 'Start it: ollama serve',
};

describe.each(Object.entries(missing))('src/%s.ts', (file, sentence) => {
  test('says without a key what is missing, and ends well', async () => {
    const printed = await printedBy([`src/${file}.ts`], { OLLAMA_HOST: await nobodyThere() });
    expect(printed).toContain(sentence);
  });

  test('calls its tool and answers, by the vendor’s own SDK', async () => {
    const { printed, asked } = await ran(['src/start.ts', file]);
    expect(printed).toMatch(
      /^offline demo model: .*\nSeattle: 16 °C, light rain\. \(\d+ tokens\)\n$/,
    );
    const api = file.replace(/^azure-.*/, 'azure');
    expect(asked).toEqual([api, api]);
  });
});
