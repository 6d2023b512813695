import { Agent, textOf } from '@agent-functions/core';
import { scriptedModel } from '@agent-functions/core/testing';

// A file that exports an agent, and writes where the protocol is spoken.
console.log('This line is for standard error.');

export default new Agent({
  name: 'talking',
  description: 'Says what it was told.',
  model: scriptedModel(({ messages }) => {
    console.log('So is this one.');
    const last = messages.at(-1);
    return `You said: ${last === undefined ? '' : textOf(last)}`;
  }),
});
