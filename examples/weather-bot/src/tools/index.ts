export { convertTemperature } from './convert-temperature.ts';
export { getCurrentWeather } from './get-current-weather.ts';
export { getWeatherAdvice } from './get-weather-advice.ts';
