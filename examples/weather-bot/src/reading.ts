import { readObject, type ToolExchange } from 'demo-model';

// What the offline demo reads out of questions and results; a model needs none of it.

export const asksForWeather = /weather|temperature|forecast|how (?:warm|cold|hot)|compare/i;
export const asksForAdvice = /wear|umbrella|jacket|coat|advice|take along|pack/i;

export function inWords({ tool, input, output }: ToolExchange): string {
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

const units = /\b(celsius|fahrenheit|kelvin|[cfk])\b/i;
const amount = new RegExp(
  String.raw`(-?\d+(?:\.\d+)?)\s*(?:°|degrees?)?\s*(celsius|fahrenheit|kelvin|[cfk])\b(.*)$`,
  'i',
);

export function conversionIn(question: string): Readonly<Record<string, unknown>> | undefined {
  const [, value, from, rest] = amount.exec(question) ?? [];
  const to = rest === undefined ? undefined : unitIn(rest);
  if (value === undefined || from === undefined || to === undefined) return undefined;
  return { temperature: Number(value), from: unitIn(from), to };
}

export function unitIn(text: string): 'celsius' | 'fahrenheit' | 'kelvin' | undefined {
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
export function citiesIn(question: string): readonly string[] {
  const [, places] = /\b(?:in|for|at)\s+(\p{L}[^?.!]*)/iu.exec(question) ?? [];
  if (places === undefined) return [];
  return places
    .replace(/\b(?:right now|now|today|tomorrow|please)\b.*$/i, '')
    .split(/,|\band\b|\bwith\b/i)
    .map((city) => city.trim())
    .filter((city) => city !== '' && unitIn(city) === undefined);
}

export interface SeenWeather {
  readonly city: string;
  readonly temperatureC: number;
  readonly conditions: string;
  readonly windKmh: number;
  readonly humidityPercent: number;
  readonly source: string;
}

export function adviceFor({
  temperatureC,
  conditions,
  windKmh,
}: SeenWeather): Readonly<Record<string, unknown>> {
  return { temperatureC, conditions, windKmh };
}

export function readWeather(output: string): SeenWeather | undefined {
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
