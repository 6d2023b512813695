import { call, type Conversation, type Reply, type Script } from 'demo-model';
import {
  adviceFor,
  asksForAdvice,
  citiesIn,
  conversionIn,
  inWords,
  readWeather,
  unitIn,
  type SeenWeather,
} from 'weather-bot/reading';
import { conversation } from './conversation.ts';

// What the three models of the offline demo say. Each knows its own part and whom to hand the rest to.

export const weatherScript: Script = (seen) => {
  const { question, results } = seen;
  const looked = results.filter((each) => each.tool === 'get_current_weather');
  if (looked.length > 0) {
    const weather = lastWeather({ ...seen, earlier: [] });
    if (!asksForAdvice.test(question) || weather === undefined) {
      return { text: looked.map(inWords).join(' ') };
    }
    return handOff(
      'advisor_agent',
      `What should I wear in ${weather.city}?`,
      'the weather is known',
    );
  }
  const cities = citiesIn(question);
  if (cities.length > 0) {
    return { calls: cities.map((city) => ({ tool: 'get_current_weather', input: { city } })) };
  }
  return converts(seen) ?? advises(seen) ?? { text: unknownQuestion };
};

export const converterScript: Script = (seen) => {
  const { question, results } = seen;
  if (results.length > 0) return { text: results.map(inWords).join(' ') };
  const conversion = conversionIn(question);
  if (conversion !== undefined) return call('convert_temperature', conversion);
  const weather = lastWeather(seen);
  const to = unitIn(question);
  if (to !== undefined && weather !== undefined) {
    return call('convert_temperature', { temperature: weather.temperatureC, from: 'celsius', to });
  }
  return advises(seen) ?? looksUp(seen) ?? { text: unknownQuestion };
};

export const advisorScript: Script = (seen) => {
  const { question, results } = seen;
  const advice = results.filter((each) => each.tool === 'get_weather_advice');
  const weather = lastWeather(seen);
  if (advice.length > 0) {
    const where = weather === undefined ? '' : `${weather.city}, ${weather.temperatureC} °C: `;
    return { text: `${where}${advice.map(inWords).join(' ')}` };
  }
  const [city] = citiesIn(question);
  if (city !== undefined && city !== weather?.city) {
    return handOff(
      'weather_agent',
      `What is the weather in ${city}? Then hand back: the question is what to wear.`,
      `no weather of ${city} yet`,
    );
  }
  if (unitIn(question) !== undefined) return converts(seen) ?? { text: unknownQuestion };
  return weather === undefined
    ? { text: unknownQuestion }
    : call('get_weather_advice', adviceFor(weather));
};

function converts({ question }: Conversation): Reply | undefined {
  return unitIn(question) === undefined
    ? undefined
    : handOff('converter_agent', question, 'a conversion');
}

function advises({ question }: Conversation): Reply | undefined {
  return asksForAdvice.test(question)
    ? handOff('advisor_agent', question, 'a question for advice')
    : undefined;
}

function looksUp({ question }: Conversation): Reply | undefined {
  return citiesIn(question).length > 0
    ? handOff('weather_agent', question, 'a question for the weather')
    : undefined;
}

function handOff(agent: string, message: string, reason: string): Reply {
  return call(`handoff_to_${agent}`, { message, reason });
}

/** The weather that was seen last, by whichever agent. */
function lastWeather({ earlier, results }: Conversation): SeenWeather | undefined {
  return [...earlier, ...results]
    .filter((each) => each.tool === 'get_current_weather')
    .map((each) => readWeather(each.output))
    .findLast((each) => each !== undefined);
}

const unknownQuestion = [
  'This is the offline demo: no model is connected, so only such questions are answered:',
  ...conversation.map((question) => `"${question}"`),
  'To connect a model, set OPENAI_API_KEY (or AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT_NAME), or start Ollama, and start again.',
].join(' ');
