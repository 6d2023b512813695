import { call, readObject, type Script } from 'demo-model';

/** What the offline demo says: it looks the weather up with the agent's tool, and tells it. */
export const weatherScript: Script = ({ question, results: [looked] }) => {
  if (looked === undefined) {
    const city = /\bin (\p{Lu}[\p{L} ]*)/u.exec(question)?.[1] ?? 'Seattle';
    return call('get_weather', { city });
  }
  const { city, temperatureC, conditions } = weatherOf(looked.output);
  return { text: `${String(city)}: ${String(temperatureC)} °C, ${String(conditions)}.` };
};

/** What the tool answered. On Google's wire it is the `output` of an object. */
function weatherOf(result: string): Readonly<Record<string, unknown>> {
  const read = readObject(result) ?? {};
  const { output } = read;
  return typeof output === 'object' && output !== null ? { ...output } : read;
}
