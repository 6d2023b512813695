// npm start: one agent, six models, side by side. npm start -- anthropic: that file alone. Without a key in the
// environment a server on this machine plays the vendors, and the vendors' own SDKs talk to it.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { priceTable } from '@agent-functions/core';
import { startDemoServer } from 'demo-model/server';
import { isConfigured, vendors } from './offline/vendors.ts';
import { weatherScript } from './offline/weather-script.ts';
import { switchProvider } from './switch-provider.ts';
import { toTable } from './to-table.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    question: { type: 'string', default: 'What is the weather in Seattle?' },
    prices: { type: 'string' },
  },
});
const [first] = positionals;
if (first !== undefined && Object.hasOwn(vendors, first)) await one(first);
else await all(positionals);

/** The file of that name, as a user copies it. */
async function one(name: string): Promise<void> {
  const vendor = vendors[name];
  if (vendor !== undefined && !isConfigured(vendor, process.env)) await playOffline([name]);
  await import(`./${name}.ts`);
}

/** The table. Where any vendor is configured, the others are asked too, and say what is missing. */
async function all(chosen: readonly string[]): Promise<void> {
  if (!Object.values(vendors).some((vendor) => isConfigured(vendor, process.env))) {
    await playOffline(Object.keys(vendors).filter((name) => name !== 'vertex'));
  }
  const { AZURE_OPENAI_DEPLOYMENT_NAME: deployment, AZURE_AI_MODEL: model } = process.env;
  const six = [
    'openai/gpt-5-mini',
    `azure-openai/${deployment ?? 'gpt-5-mini'}`,
    `azure-ai/${model ?? 'DeepSeek-V3'}`,
    'anthropic/claude-haiku-5-5',
    'google/gemini-3.8-flash',
    'ollama/qwen3',
  ];
  const { question, prices: file } = values;
  const prices =
    file === undefined ? undefined : priceTable(JSON.parse(await readFile(file, 'utf8')));
  const rows = await switchProvider(chosen.length === 0 ? six : chosen, question, prices);
  console.log(`\n${question}\n\n${toTable(rows)}`);
}

/** Leads these vendors to a server on this machine. */
async function playOffline(names: readonly string[]): Promise<void> {
  const base = await startDemoServer(weatherScript);
  const url = base.replace(/\/v1$/, '');
  for (const name of names) Object.assign(process.env, await vendors[name]?.offline(url));
  const variables = names.map((name) => vendors[name]?.variables[0]).join(' or ');
  console.log(
    `offline demo model: a server on this machine plays ${names.join(', ')}. Set ${variables} to ask the real one.`,
  );
}
