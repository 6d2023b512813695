import { call, readObject, type Conversation, type Reply, type ToolExchange } from 'demo-model';

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

function inWords({ tool, input, output }: ToolExchange): string {
  const weather = readWeather(output);
  if (tool === 'get_current_weather' && weather !== undefined) {
    const { city, temperatureC, conditions, windKmh, humidityPercent, source } = weather;
    return `${city}: ${temperatureC} °C, ${conditions}, wind ${windKmh} km/h, humidity ${humidityPercent} % (${source}).`;
  }
  const result = readObject(output);
  if (tool === 'convert_temperature' && typeof result?.['temperature'] === 'number') {
    return `${String(input['temperature'])} ${String(input['from'])} is ${result['temperature']} ${String(result['unit'])}.`;
  }
  if (tool === 'get_weather_advice' && Array.isArray(result?.['advice'])) {
    return `Take ${result['advice'].join(', ')}.`;
  }
  return `The tool ${tool} could not answer: ${output}`;
}

const asksForWeather = /weather|temperature|forecast|how (?:warm|cold|hot)|compare/i;
const asksForAdvice = /wear|umbrella|jacket|coat|advice|take along|pack/i;

const unknownQuestion = [
  'This is the offline demo: no model is connected, so only a few questions are answered, with real tool calls:',
  ...demoQuestions.map((question) => `"${question}"`),
  'To connect a model, set OPENAI_API_KEY (or AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT_NAME), or start Ollama, and start again.',
].join(' ');

const units = /\b(celsius|fahrenheit|kelvin|[cfk])\b/i;
const amount = new RegExp(
  String.raw`(-?\d+(?:\.\d+)?)\s*(?:°|degrees?)?\s*(celsius|fahrenheit|kelvin|[cfk])\b(.*)$`,
  'i',
);

function conversionIn(question: string): Readonly<Record<string, unknown>> | undefined {
  const [, value, from, rest] = amount.exec(question) ?? [];
  const to = rest === undefined ? undefined : unitIn(rest);
  if (value === undefined || from === undefined || to === undefined) return undefined;
  return { temperature: Number(value), from: unitIn(from), to };
}

function unitIn(text: string): 'celsius' | 'fahrenheit' | 'kelvin' | undefined {
  const letter = units.exec(text)?.[1]?.[0]?.toLowerCase();
  return letter === 'c'
    ? 'celsius'
    : letter === 'f'
      ? 'fahrenheit'
      : letter === 'k'
        ? 'kelvin'
        : undefined;
}

/** `… in Seattle and New York today?` is Seattle, New York. */
function citiesIn(question: string): readonly string[] {
  const [, places] = /\b(?:in|for|at)\s+(\p{L}[^?.!]*)/iu.exec(question) ?? [];
  if (places === undefined) return [];
  return places
    .replace(/\b(?:right now|now|today|tomorrow|please)\b.*$/i, '')
    .split(/,|\band\b|\bwith\b/i)
    .map((city) => city.trim())
    .filter((city) => city !== '' && unitIn(city) === undefined);
}

interface SeenWeather {
  readonly city: string;
  readonly temperatureC: number;
  readonly conditions: string;
  readonly windKmh: number;
  readonly humidityPercent: number;
  readonly source: string;
}

function adviceFor({
  temperatureC,
  conditions,
  windKmh,
}: SeenWeather): Readonly<Record<string, unknown>> {
  return { temperatureC, conditions, windKmh };
}

function readWeather(output: string): SeenWeather | undefined {
  const read = readObject(output);
  if (read === undefined) return undefined;
  const { city, temperatureC, conditions, windKmh, humidityPercent, source } = read;
  if (typeof city !== 'string' || typeof conditions !== 'string' || typeof source !== 'string')
    return undefined;
  if (
    typeof temperatureC !== 'number' ||
    typeof windKmh !== 'number' ||
    typeof humidityPercent !== 'number'
  ) {
    return undefined;
  }
  return { city, temperatureC, conditions, windKmh, humidityPercent, source };
}
