import { tool } from '@agent-functions/core';
import { z } from 'zod';

const unit = z.enum(['celsius', 'fahrenheit', 'kelvin']);
type Unit = z.infer<typeof unit>;

const toKelvin: Readonly<Record<Unit, (value: number) => number>> = {
  celsius: (value) => value + 273.15,
  fahrenheit: (value) => ((value - 32) * 5) / 9 + 273.15,
  kelvin: (value) => value,
};

const fromKelvin: Readonly<Record<Unit, (value: number) => number>> = {
  celsius: (value) => value - 273.15,
  fahrenheit: (value) => ((value - 273.15) * 9) / 5 + 32,
  kelvin: (value) => value,
};

export const convertTemperature = tool({
  name: 'convert_temperature',
  description: 'Converts a temperature between Celsius, Fahrenheit and Kelvin.',
  parameters: z.object({ temperature: z.number(), from: unit, to: unit }),
  effect: 'read',
  execute: ({ temperature, from, to }) => {
    const kelvin = toKelvin[from](temperature);
    if (kelvin < 0) throw new Error(`${temperature} ${from} is below absolute zero.`);
    // Two decimals: what is left of binary fractions goes, and no thermometer shows more.
    return { temperature: Math.round(fromKelvin[to](kelvin) * 100) / 100, unit: to };
  },
});
