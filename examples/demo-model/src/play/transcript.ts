import { z } from 'zod';

// The events of a run, as docs/http-api.md has them; only what is shown here.
const event = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('model-response'),
    frame: z.string(),
    agent: z.string(),
    purpose: z.string(),
    message: z
      .object({ parts: z.array(z.object({ type: z.string(), text: z.string().optional() })) })
      .optional(),
  }),
  z.object({
    type: z.literal('tool-start'),
    frame: z.string(),
    agent: z.string(),
    call_id: z.string(),
    tool_name: z.string(),
    input: z.unknown(),
  }),
  z.object({
    type: z.literal('tool-result'),
    frame: z.string(),
    call_id: z.string(),
    output: z.unknown(),
    is_error: z.boolean(),
  }),
  z.object({
    type: z.literal('interruption'),
    frame: z.string(),
    agent: z.string(),
    interruption: z.object({
      id: z.string(),
      kind: z.string(),
      call_id: z.string().optional(),
      message: z.string().optional(),
      tool_name: z.string().optional(),
      input: z.unknown().optional(),
    }),
  }),
  z.object({
    type: z.literal('decision'),
    frame: z.string(),
    interruption_id: z.string(),
    approved: z.boolean().optional(),
    input: z.unknown().optional(),
    answer: z.unknown().optional(),
  }),
  z.object({
    type: z.literal('handoff'),
    frame: z.string(),
    agent: z.string(),
    to: z.string(),
    child_frame: z.string(),
    primitive: z.string(),
    reason: z.string().optional(),
  }),
  z.object({
    type: z.literal('route'),
    frame: z.string(),
    agent: z.string(),
    to: z.string().optional(),
    reason: z.string().optional(),
  }),
  z.object({
    type: z.literal('reflection'),
    frame: z.string(),
    agent: z.string(),
    iteration: z.number(),
    score: z.number().optional(),
    accepted: z.boolean(),
    feedback: z.string().optional(),
  }),
  z.object({
    type: z.literal('frame-end'),
    frame: z.string(),
    agent: z.string(),
    error: z.object({ code: z.string() }).optional(),
  }),
  z.object({
    type: z.literal('run-end'),
    status: z.string(),
    handoff_path: z.array(z.string()),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
  }),
]);
type Shown = z.infer<typeof event>;

/** Something that takes a while: a frame, or a call of a tool. It is written where it began. */
interface Section {
  readonly parts: (string | Section)[];
  done: boolean;
}

/**
 * Writes a run as lines while it happens: who speaks, which tools are called, who hands over to whom. Agents that work
 * side by side are written one below the other, in the order in which they were asked.
 */
export class Transcript {
  readonly #write: (line: string) => void;
  readonly #root: Section = { parts: [], done: false };
  readonly #frames = new Map<string, Section>([['f0', this.#root]]);
  readonly #calls = new Map<string, Section>();
  /** Calls that asked, by their interruptions. */
  readonly #questions = new Map<string, Section>();

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** Takes an event of the stream; those that are not shown are left out. */
  take(given: unknown): void {
    const parsed = event.safeParse(given);
    if (!parsed.success) return;
    this.#add(parsed.data);
    flush(this.#root, this.#write);
  }

  #add(shown: Shown): void {
    if (shown.type === 'run-end') {
      for (const section of this.#frames.values()) section.done = true;
      this.#root.parts.push(
        `  path: ${shown.handoff_path.join(' → ')}`,
        ...(shown.status === 'completed' ? [] : [`  ${shown.status}${reason(shown.error)}`]),
      );
      return;
    }
    const section = this.#frames.get(shown.frame) ?? this.#root;
    switch (shown.type) {
      case 'model-response': {
        const text = (shown.message?.parts ?? []).map((part) => part.text ?? '').join('');
        if (shown.purpose === 'turn' && text !== '') section.parts.push(said(shown.agent, text));
        break;
      }
      case 'tool-start': {
        // A tool that asked runs again with the answer.
        if (this.#calls.has(shown.call_id)) break;
        const call: Section = { parts: [], done: false };
        call.parts.push(`  ${shown.agent} calls ${shown.tool_name} ${short(shown.input)}`);
        this.#calls.set(shown.call_id, call);
        section.parts.push(call);
        break;
      }
      case 'tool-result': {
        const call = this.#calls.get(shown.call_id);
        if (call === undefined) break;
        call.parts.push(`    ${shown.is_error ? 'error' : 'result'} ${short(shown.output)}`);
        call.done = true;
        break;
      }
      case 'interruption': {
        const { id, kind, call_id: callId = '', message = '' } = shown.interruption;
        const call = this.#calls.get(callId);
        if (kind === 'input' && call !== undefined) {
          this.#questions.set(id, call);
          call.parts.push(`    waits for an answer: ${message}`);
          break;
        }
        section.parts.push(
          `  ${shown.agent} waits for an answer: ${shown.interruption.tool_name ?? ''} ${short(shown.interruption.input)}`,
        );
        break;
      }
      case 'decision': {
        const question = this.#questions.get(shown.interruption_id);
        if (question !== undefined && shown.answer !== undefined) {
          question.parts.push(`    answered: ${short(shown.answer)}`);
          break;
        }
        const edited = shown.input === undefined ? '' : ` with ${short(shown.input)}`;
        section.parts.push(
          shown.approved === undefined
            ? '  answered'
            : `  ${shown.approved ? 'approved' : 'refused'}${edited}`,
        );
        break;
      }
      case 'handoff': {
        const child: Section = { parts: [], done: false };
        this.#frames.set(shown.child_frame, child);
        const why = shown.reason === undefined ? '' : `: ${shown.reason}`;
        child.parts.push(`  ${shown.agent} → ${shown.to} (${shown.primitive})${why}`);
        section.parts.push(child);
        break;
      }
      case 'route':
        if (shown.to === undefined) section.parts.push(`  ${shown.agent} answers itself`);
        break;
      case 'reflection':
        section.parts.push(
          `  judged ${shown.score ?? 'by nobody'}${shown.accepted ? ', kept' : ''}${shown.feedback === undefined ? '' : `: ${shown.feedback}`}`,
        );
        break;
      case 'frame-end':
        if (shown.error !== undefined) {
          section.parts.push(`  ${shown.agent} failed: ${shown.error.code}`);
        }
        section.done = true;
        break;
      default:
        shown satisfies never;
    }
  }
}

/** Writes what is known up to the first thing that still goes on; answers whether all of it is written. */
function flush(section: Section, write: (line: string) => void): boolean {
  for (let part = section.parts[0]; part !== undefined; part = section.parts[0]) {
    if (typeof part === 'string') write(part);
    else if (!flush(part, write)) return false;
    section.parts.shift();
  }
  return section.done;
}

function said(agent: string, text: string): string {
  const [first = '', ...more] = text.split('\n');
  return [`${agent}: ${first}`, ...more.map((line) => `  ${line}`)].join('\n');
}

function reason(error: { readonly code: string; readonly message: string } | undefined): string {
  return error === undefined ? '' : ` (${error.code}): ${error.message}`;
}

const shownCharacters = 160;

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}…`;
}
