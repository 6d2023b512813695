import { ModelError } from './errors.ts';
import type { Message, Part } from './message.ts';
import type { Model, ModelRequest } from './model.ts';

/**
 * Why a model cannot take a request, as far as it is known: the request has tools and the model calls none, or it holds
 * an image and the model sees none. `undefined` where nothing is known against it.
 */
export function checkCapabilities(
  { provider, modelId, capabilities }: Model,
  { tools, messages }: ModelRequest,
): ModelError | undefined {
  if (capabilities === undefined) return undefined;
  const lacks: string[] = [];
  if (capabilities.tools === false && tools.length > 0) {
    const names = tools.map(({ name }) => name).join(', ');
    lacks.push(
      `It calls no tools, and this agent has ${names}. Choose a model that calls tools, or leave the tools out.`,
    );
  }
  if (capabilities.images === false) {
    const where = whereAnImageIs(messages);
    if (where !== undefined) {
      lacks.push(
        `It sees no images, and there is one in ${where}. Choose a model that sees images, or leave the image out.`,
      );
    }
  }
  return lacks.length === 0
    ? undefined
    : new ModelError(`${provider}/${modelId} was not asked. ${lacks.join(' ')}`, {
        reason: 'invalid-request',
        provider,
      });
}

function whereAnImageIs(messages: readonly Message[]): string | undefined {
  for (const { role, parts } of messages) {
    if (parts.some(isImage)) return `${role === 'assistant' ? 'an' : 'a'} ${role} message`;
    for (const part of parts) {
      if (part.type !== 'tool-result' || part.output.type !== 'content') continue;
      if (part.output.parts.some(isImage)) return `the result of ${part.toolName}`;
    }
  }
  return undefined;
}

function isImage(part: Part): boolean {
  return part.type === 'file' && part.mediaType.startsWith('image/');
}
