import { Agent } from '@agent-functions/core';
import { environmentModel } from 'demo-model';
import { technicalScript } from '../demo-script.ts';
import { lookUpError } from '../tools/look-up-error.ts';
import { told } from './told.ts';

export const technical_agent = new Agent({
  name: 'technical_agent',
  description: 'Finds out why the app does not work, and how things are done in it.',
  instructions: ({ requestContext }) =>
    `You are the technical support of Lumo Notes. Look an error code up before you explain it. The customer's app: ${told(requestContext, 'app_version', 'version unknown')}.`,
  model: environmentModel(technicalScript),
  tools: [lookUpError],
  enableConversationalAgent: false,
});
