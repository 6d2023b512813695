import { call, type Conversation, type Reply, type ToolExchange } from 'demo-model';
import {
  adviceFor,
  asksForAdvice,
  asksForWeather,
  citiesIn,
  conversionIn,
  inWords,
  readWeather,
  unitIn,
} from './reading.ts';

/** The questions that the offline demo answers; the README lists them. */
export const demoQuestions = [
  'What is the weather in Seattle?',
  'Convert 20 celsius to fahrenheit',
  'What should I wear in Copenhagen?',
  'Compare the weather in Seattle and Zurich',
  'And in Fahrenheit?',
] as const;

/**
 * Plays the model of the offline demo: a few questions, answered from what the tools really said. Whatever it does not
 * know it says, and how to connect a model.
 */
export function demoAnswer(
  conversation: Pick<Conversation, 'question' | 'results' | 'earlier'>,
): Reply {
  const { question, results } = conversation;
  return results.length === 0
    ? firstStep(question, conversation.earlier)
    : nextStep(question, results);
}

function firstStep(question: string, earlier: readonly ToolExchange[]): Reply {
  const conversion = conversionIn(question);
  if (conversion !== undefined) return call('convert_temperature', conversion);
  const last = earlier.findLast((each) => each.tool === 'get_current_weather');
  const weather = last === undefined ? undefined : readWeather(last.output);
  const unit = unitIn(question);
  if (unit !== undefined && unit !== 'celsius' && weather !== undefined) {
    return call('convert_temperature', {
      temperature: weather.temperatureC,
      from: 'celsius',
      to: unit,
    });
  }
  const cities = citiesIn(question);
  if (cities.length > 0 && (asksForWeather.test(question) || asksForAdvice.test(question))) {
    return { calls: cities.map((city) => ({ tool: 'get_current_weather', input: { city } })) };
  }
  if (asksForAdvice.test(question) && weather !== undefined)
    return call('get_weather_advice', adviceFor(weather));
  return { text: unknownQuestion };
}

function nextStep(question: string, results: readonly ToolExchange[]): Reply {
  const [first] = results;
  const weather = first === undefined ? undefined : readWeather(first.output);
  if (asksForAdvice.test(question) && results.length === 1 && weather !== undefined) {
    return call('get_weather_advice', adviceFor(weather));
  }
  return { text: results.map(inWords).join(' ') };
}

const unknownQuestion = [
  'This is the offline demo: no model is connected, so only a few questions are answered, with real tool calls:',
  ...demoQuestions.map((question) => `"${question}"`),
  'To connect a model, set OPENAI_API_KEY (or AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT_NAME), or start Ollama, and start again.',
].join(' ');
