import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';

const kept = 8_000;
const shown = 500;
/** Where it was, and which Node it was, after what it was. */
const noise = /^(at |Node\.js v\d)|^\^+$/;

/** The end of what a process writes to its standard error. */
export class LastWords {
  readonly #decoder = new StringDecoder('utf8');
  #tail = '';

  push(chunk: Buffer): void {
    this.#tail = (this.#tail + this.#decoder.write(chunk)).slice(-kept);
  }

  /** The last of it in one line of at most 500 characters, to go on a sentence with; or that there is none. */
  text(): string {
    const lines = stripVTControlCharacters(this.#tail)
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !noise.test(line));
    const all = lines.join(' ');
    if (all === '') return ', and said nothing on stderr';
    return `, and said last on stderr: ${all.length > shown ? `…${all.slice(-shown)}` : all}`;
  }
}
