import { isDurable, type RunEvent, type Watched } from './events.ts';
import { textOf } from './message.ts';

/** What an event adds to the text of a run, and whether text that was given before is void. */
export interface Said {
  readonly withdrawn: boolean;
  readonly text: string;
}

const nothing: Said = { withdrawn: false, text: '' };

/**
 * The text of a run as it is spoken: that of the frames whose messages are the conversation. What agents say that were
 * called for an answer is not; their answer is, where it is the run's.
 */
export class Spoken {
  readonly #frames = new Set<string>();
  /** The text of the turn in progress that was given. */
  #given = '';
  #epoch: string | undefined;
  /** The last thing that was given is an answer. */
  #answered = false;

  take(event: Watched): Said {
    if (isDurable(event)) return this.#durable(event);
    if (!this.#frames.has(event.frame)) return nothing;
    if (event.type === 'void') return this.#void();
    if (event.type !== 'text-delta') return nothing;
    const { withdrawn } =
      this.#epoch !== undefined && this.#epoch !== event.epoch ? this.#void() : nothing;
    this.#epoch = event.epoch;
    this.#given += event.delta;
    return { withdrawn, text: event.delta };
  }

  #durable(event: RunEvent): Said {
    switch (event.type) {
      case 'run-start':
        this.#frames.add(event.frame);
        return nothing;
      case 'handoff':
        if (event.primitive === 'transfer' || event.primitive === 'route') {
          if (this.#frames.has(event.frame)) this.#frames.add(event.childFrame);
        }
        return nothing;
      case 'run-resume':
        return this.#void();
      case 'model-response': {
        if (!this.#frames.has(event.frame) || event.purpose !== 'turn') return nothing;
        this.#answered = false;
        if (event.held === true) return this.#void();
        const { message } = event;
        const text = textOf(message);
        this.#answered = text !== '' && message.parts.every(({ type }) => type !== 'tool-call');
        return this.#settle(text);
      }
      case 'run-end':
        return event.status === 'completed' && !this.#answered
          ? this.#release(event.response ?? '')
          : nothing;
      default:
        return nothing;
    }
  }

  /** The answer has passed what held it, or is somebody else's: what was not given of it yet. */
  #release(text: string): Said {
    this.#answered = true;
    // A text that was changed after it was given stays as it is, like one that was not held.
    if (!text.startsWith(this.#given)) return nothing;
    return this.#settle(text);
  }

  /** The text of the turn is known: what was given of it is completed, or void. */
  #settle(text: string): Said {
    const given = this.#given;
    this.#given = '';
    this.#epoch = undefined;
    return text.startsWith(given)
      ? { withdrawn: false, text: text.slice(given.length) }
      : { withdrawn: given !== '', text };
  }

  #void(): Said {
    const withdrawn = this.#given !== '';
    this.#given = '';
    this.#epoch = undefined;
    return { withdrawn, text: '' };
  }
}
