import type { AgentCard, AgentSkill, SecurityRequirement } from '@a2a-js/sdk';
import type { AgentDefinition } from '@agent-functions/core';
import type { A2AAgentOptions, A2AOptions } from './options.ts';

/** What agents take unless the app says otherwise. */
const inputModes = ['text/plain', 'application/json', 'image/*', 'application/pdf'];

export function inputModesOf(own: A2AAgentOptions): readonly string[] {
  return own.inputModes ?? inputModes;
}

/** Where an agent is. */
export interface Place {
  /** Its name in URLs. */
  readonly name: string;
  /** The absolute URL of its endpoints. */
  readonly url: string;
}

/** The card of an agent (specification 4.4.1): what it chose to show, and what this server can do. */
export function cardOf(
  agent: AgentDefinition<never, unknown>,
  { name, url }: Place,
  options: A2AOptions,
  own: A2AAgentOptions,
  can: { readonly pushNotifications: boolean },
): AgentCard {
  const { info } = agent.exposed;
  const description = info && agent.description !== '' ? agent.description : `The agent ${name}.`;
  const input = [...inputModesOf(own)];
  const output = [
    ...(own.outputModes ?? [
      'text/plain',
      ...(agent.outputType === undefined ? [] : ['application/json']),
    ]),
  ];
  return {
    name,
    description,
    // In order of preference; a 0.3 client finds its own by the version (3.6.2, 8.3.1).
    supportedInterfaces: [
      { url, protocolBinding: 'JSONRPC', protocolVersion: '1.0', tenant: '' },
      { url, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0', tenant: '' },
      { url, protocolBinding: 'JSONRPC', protocolVersion: '0.3', tenant: '' },
    ],
    provider: options.provider,
    version: info ? agent.version : '1.0.0',
    ...(own.documentationUrl === undefined ? {} : { documentationUrl: own.documentationUrl }),
    ...(own.iconUrl === undefined ? {} : { iconUrl: own.iconUrl }),
    capabilities: {
      streaming: true,
      pushNotifications: can.pushNotifications,
      extendedAgentCard: options.extendedCard !== undefined,
      extensions: [...(options.extensions ?? [])],
    },
    securitySchemes: { ...options.securitySchemes },
    securityRequirements: requirementsOf(options),
    defaultInputModes: input,
    defaultOutputModes: output,
    skills: skillsOf(agent, name, description, own),
    signatures: [],
  };
}

function requirementsOf(options: A2AOptions): SecurityRequirement[] {
  const given = options.securityRequirements;
  if (given !== undefined) return [...given];
  return Object.keys(options.securitySchemes ?? {}).map((scheme) => ({
    schemes: { [scheme]: { list: [] } },
  }));
}

function skillsOf(
  agent: AgentDefinition<never, unknown>,
  name: string,
  description: string,
  own: A2AAgentOptions,
): AgentSkill[] {
  if (own.skills !== undefined && own.skills.length > 0) {
    return own.skills.map((skill, index) => ({
      ...bareSkill,
      id: `${name}.${index + 1}`,
      name,
      description,
      ...skill,
    }));
  }
  const tools = agent.exposed.tools ? agent.tools : [];
  return [
    { ...bareSkill, id: name, name, description },
    ...tools.map((tool) => ({
      ...bareSkill,
      id: `${name}.${tool.name}`,
      name: tool.name,
      description: tool.description,
      tags: ['tool'],
    })),
  ];
}

const bareSkill = {
  // At least one, says 5.7.
  tags: ['agent'],
  examples: [],
  inputModes: [],
  outputModes: [],
  securityRequirements: [],
} satisfies Partial<AgentSkill>;
