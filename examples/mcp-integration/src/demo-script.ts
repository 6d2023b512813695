import { call, readObject, type Reply, type Script } from 'demo-model';

// What the model of the offline demo says. A real model needs none of it.

const unknown: Reply = {
  text: 'This is the offline demo: it answers the questions of the README. Set OPENAI_API_KEY to connect a model.',
};

/** Looks up the city that was asked for, and says what the server said. */
export const weatherScript: Script = ({ question, results }) => {
  const [answer] = results;
  if (answer === undefined) {
    const city = /\bin ([A-Z]\w+)/.exec(question)?.[1];
    return city === undefined ? unknown : call('get_weather', { city });
  }
  const weather = readObject(answer.output);
  return {
    text:
      weather === undefined
        ? answer.output
        : `${String(weather['city'])}: ${String(weather['sky'])}, ${String(weather['temperatureC'])} °C, wind ${String(weather['windKmh'])} km/h.`,
  };
};

/** Reads the log, or looks what has changed and commits it. */
export const gitScript: Script = ({ question, results }) => {
  const last = results.at(-1);
  if (/commit/i.test(question) && !/last|log/i.test(question)) {
    if (last === undefined) return call('git_status', {});
    if (last.tool === 'git_status') {
      const files = linesOf(last.output).map((line) => line.replace(/^\S+\s+/, ''));
      return call('git_commit', { message: `Add ${files.join(', ')}` });
    }
    return { text: `Committed as ${textIn(last.output)}.` };
  }
  if (last !== undefined) return { text: `The last commits:\n${textIn(last.output)}` };
  return /happened|log|last/i.test(question) ? call('git_log', { count: 5 }) : unknown;
};

function linesOf(output: string): readonly string[] {
  return textIn(output).split('\n').filter(Boolean);
}

/** A text comes as JSON. */
function textIn(output: string): string {
  try {
    const value: unknown = JSON.parse(output);
    return typeof value === 'string' ? value : output;
  } catch {
    return output;
  }
}
