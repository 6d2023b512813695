import { samples } from './samples.ts';

export const unknownRequest = [
  'This is the offline demo: no model is connected, so only such requests are answered:',
  ...samples.map(({ message }) => JSON.stringify(message)),
  'To connect a model, set OPENAI_API_KEY (or AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT_NAME), or start Ollama, and start again.',
].join(' ');
