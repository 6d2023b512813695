import { mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

// Real processes, which start slowly when the machine is busy. No key, no service, no Ollama: the offline demo.
export default mergeConfig(shared, {
  test: {
    testTimeout: 30_000,
    env: {
      OPENAI_API_KEY: '',
      AZURE_OPENAI_ENDPOINT: '',
      OLLAMA_HOST: '127.0.0.1:1',
      WEATHER_SOURCE: 'bundled',
    },
  },
});
