import { isRecord, parsed, WireError } from '@agent-functions/core/provider';

/**
 * Lets only whole answers through, line by line. The SDK prints a line that is not JSON to the console and goes on without
 * it, which would lose text; and it makes a plain `Error` of what the server says went wrong.
 *
 * @throws WireError (as the stream's error) for a line that is not an object, one that is an error, and an end that comes
 *   before the line that says `done`.
 */
export function checkedLines(): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = '';
  let done = false;

  function check(line: string): void {
    if (line.trim() === '') return;
    const value = parsed(line);
    if (!isRecord(value)) throw new WireError('it sent a line that is not a JSON object');
    if (value['error'] !== undefined) {
      throw new WireError('the server broke the answer off', value['error']);
    }
    if (value['done'] === true) done = true;
  }

  return new TransformStream({
    transform(chunk, controller) {
      const text = rest + decoder.decode(chunk, { stream: true });
      const end = text.lastIndexOf('\n') + 1;
      rest = text.slice(end);
      if (end === 0) return;
      const whole = text.slice(0, end);
      // Empty lines are keep-alive; the SDK would take them for broken JSON.
      const lines = whole.split('\n').filter((line) => line.trim() !== '');
      for (const line of lines) check(line);
      if (lines.length > 0) controller.enqueue(encoder.encode(`${lines.join('\n')}\n`));
    },
    flush(controller) {
      rest += decoder.decode();
      check(rest);
      if (!done) throw new WireError('it ended before the answer did');
      if (rest.trim() !== '') controller.enqueue(encoder.encode(rest));
    },
  });
}
