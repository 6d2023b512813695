import type { OutputSpec } from '../model.ts';
import type { ServerAnswer } from './model-scenario.ts';

// Answers that several cases of the contract play.

export const hello: ServerAnswer = {
  type: 'answer',
  text: ['It ', 'rains in ', 'Zürich 🌧️', '.'],
  finish: 'stop',
  usage: { inputTokens: 12, outputTokens: 7 },
};
export const helloText = 'It rains in Zürich 🌧️.';

export const twoCalls = [
  { toolName: 'get_weather', input: '{"city":"Oslo"}' },
  { toolName: 'get_weather', input: '{"city":"Rome"}' },
] as const;

export const report: OutputSpec = {
  name: 'weather_report',
  schema: {
    type: 'object',
    properties: { celsius: { type: 'number' } },
    required: ['celsius'],
    additionalProperties: false,
  },
  strict: true,
};
