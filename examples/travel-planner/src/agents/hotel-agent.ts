import { Agent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { hotelScript } from '../demo-script.ts';
import { searchHotels } from '../tools/search-hotels.ts';

export const hotel_agent = new Agent({
  name: 'hotel_agent',
  description: 'Finds a hotel for the nights of a trip.',
  instructions:
    'You find hotels. Search with your tool and choose the best rated one that the budget allows after the flights, else the cheapest. Answer with one line that begins with "Hotel:" and ends with the price of the stay, such as "Hotel: …: 390 EUR." Leave flights and budgets to others.',
  model: environmentModel(hotelScript),
  tools: [searchHotels],
});
