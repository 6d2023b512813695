/** Plays a model of the offline demo: what it says next in a conversation. */
export type Script = (conversation: Conversation) => Reply;

/** Text, calls of tools, or JSON where JSON was asked for. */
export type Reply =
  | { readonly text: string }
  | {
      readonly calls: readonly {
        readonly tool: string;
        readonly input: Readonly<Record<string, unknown>>;
      }[];
    }
  | { readonly json: unknown };

/** What a request to the model shows. */
export interface Conversation {
  /** What the agent was told to be. */
  readonly instructions: string;
  /** The user's last message. */
  readonly question: string;
  /** The tool calls since then. */
  readonly results: readonly ToolExchange[];
  /** The tool calls before it. */
  readonly earlier: readonly ToolExchange[];
  /** All that was said, in order, the last question included. */
  readonly said: readonly { readonly role: 'user' | 'assistant'; readonly text: string }[];
  /** The names of the tools that may be called. */
  readonly tools: readonly string[];
  /** The JSON Schema of the answer, where JSON is asked for: by an agent with an output type, a router or a judge. */
  readonly schema: Readonly<Record<string, unknown>> | undefined;
}

/** A settled tool call of the conversation. */
export interface ToolExchange {
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** What the tool answered, as the model reads it. */
  readonly output: string;
}

/** One call of a tool. */
export function call(tool: string, input: Readonly<Record<string, unknown>>): Reply {
  return { calls: [{ tool, input }] };
}

/** The JSON object of a text, such as what a tool answered; `undefined` for everything else. */
export function readObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
