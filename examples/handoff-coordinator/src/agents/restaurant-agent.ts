import { Agent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { restaurantScript } from '../demo-script.ts';
import { searchRestaurants } from '../tools/search-restaurants.ts';

export const restaurant_agent = new Agent({
  name: 'restaurant_agent',
  description: 'Finds a restaurant that is open, for dinner on a day.',
  instructions:
    'Search the restaurants with your tool and answer with one line that begins with "Dinner:", names one and says what it costs.',
  model: environmentModel(restaurantScript),
  tools: [searchRestaurants],
});
