import type { z } from 'zod';
import type { Model } from '../model.ts';

// The floor: the loop that one writes by hand in an hour, with the schema's own validation and tools side by side, and
// nothing else. At most 60 lines; what is added here hides what a framework costs.

export interface Tool<Input> {
  readonly name: string;
  readonly parameters: z.ZodType<Input>;
  readonly execute: (input: Input) => Promise<unknown>;
  readonly goesOn?: (() => Agent<Input>) | undefined;
}

export interface Message {
  readonly role: 'user' | 'assistant' | 'tool';
  readonly content: unknown;
}

export interface Agent<Input> {
  readonly model: Model;
  readonly instructions: string;
  readonly tools: ReadonlyMap<string, Tool<Input>>;
  readonly specs: readonly unknown[];
}

export async function runLoop<Input>(
  first: Agent<Input>,
  history: readonly Message[],
  question: string,
  onDelta?: (delta: string) => void,
): Promise<string> {
  let agent = first;
  const messages: Message[] = [...history, { role: 'user', content: question }];
  for (let turn = 0; turn < 200; turn += 1) {
    const { model, instructions, tools, specs } = agent;
    let text = '';
    const calls: { readonly toolName: string; readonly input: unknown }[] = [];
    for await (const event of model.stream({ instructions, messages, tools: specs })) {
      if (event.type === 'text-delta') onDelta?.(event.delta);
      else {
        messages.push({ role: 'assistant', content: event.response.parts });
        for (const part of event.response.parts) {
          if (part.type === 'tool-call') calls.push(part);
          else text += part.text;
        }
      }
    }
    if (calls.length === 0) return text;
    const results = calls.map(async (call): Promise<Message> => {
      const tool = tools.get(call.toolName);
      const checked = await tool?.parameters['~standard'].validate(call.input);
      if (tool === undefined || checked === undefined || checked.issues !== undefined)
        return { role: 'tool', content: 'The tool or its input is wrong.' };
      agent = tool.goesOn?.() ?? agent;
      return { role: 'tool', content: await tool.execute(checked.value) };
    });
    messages.push(...(await Promise.all(results)));
  }
  throw new Error('Too many turns.');
}
