import { Agent, HandoffMode } from '@agent-functions/core';
import { budget_agent } from './budget-agent.ts';
import { flight_agent } from './flight-agent.ts';
import { hotel_agent } from './hotel-agent.ts';

// One after the other: each gets the request and the answers before it, and the last answer is the plan. No model of its
// own is asked.
export const travel_planner = new Agent({
  name: 'travel_planner',
  description: 'Plans a trip within a budget: flights, a hotel, the sum.',
  handoffConfig: {
    mode: HandoffMode.SEQUENTIAL,
    targets: [{ agent: flight_agent }, { agent: hotel_agent }, { agent: budget_agent }],
  },
});
