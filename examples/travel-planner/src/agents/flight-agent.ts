import { Agent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { flightScript } from '../demo-script.ts';
import { searchFlights } from '../tools/search-flights.ts';

export const flight_agent = new Agent({
  name: 'flight_agent',
  description: 'Finds flights there and back.',
  instructions:
    'You find flights. Search both ways with your tool and answer with one line that begins with "Flights:", names the cheapest flight of each way with its times, and ends with the price of both for all travellers, such as "Flights: …: 412 EUR." Leave hotels and budgets to others.',
  model: environmentModel(flightScript),
  tools: [searchFlights],
});
