export { budget_agent } from './budget-agent.ts';
export { flight_agent } from './flight-agent.ts';
export { hotel_agent } from './hotel-agent.ts';
export { travel_planner } from './travel-planner.ts';
