import type { Saying } from 'demo-model';

const ada = {
  customer_name: 'Ada',
  customer_tier: 'plus',
  account_id: 'AC-1042',
  app_version: '5.2',
};
const grace = {
  customer_name: 'Grace',
  customer_tier: 'vip',
  account_id: 'AC-2001',
  app_version: '5.3',
};

const says = (user: string, context: typeof ada, message: string) =>
  ({ user, context, message }) satisfies Saying;

/** The conversations of the README: two customers, each with a session. */
export const conversation = [
  says('Ada', ada, 'Hello, when is support open?'),
  says('Ada', ada, 'The app shows error E-417 when it syncs.'),
  says('Ada', ada, 'Why is my last invoice higher than the one before?'),
  says('Ada', ada, 'And what would the team plan cost for 5 people?'),
  says('Ada', ada, 'Error E-417 is still there. This is ridiculous!'),
  says('Grace', grace, 'I would like to talk about our contract.'),
] as const;
