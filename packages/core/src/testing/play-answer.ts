import type { ServerAnswer } from './model-scenario.ts';

/** How a harness's server sends: `node:http`'s response, mostly. */
export interface AnswerSocket {
  /** Writes bytes of the body, and resolves when they are on their way. */
  write(bytes: Uint8Array): Promise<unknown>;
  /** Ends the body properly. */
  end(): void;
  /** Destroys the connection. */
  destroy(): void;
}

/** What a wire says beside its chunks. */
export interface AnswerWire {
  /** A comment or ping that means nothing. */
  readonly keepAlive: string;
  /** The vendor's error inside a stream. */
  failure(failure: NonNullable<ServerAnswer['failure']>): string;
}

/**
 * Sends the chunks of an answer, in the vendor's words already, the way the scenario says: with pauses, pings, cuts, an
 * error in between, in pieces of so many bytes. The headers are the caller's, after `pause.afterChunks: 0`, which is too.
 */
export async function playAnswer(
  reply: ServerAnswer,
  chunks: readonly string[],
  socket: AnswerSocket,
  wire: AnswerWire,
): Promise<void> {
  if (reply.empty === true) return socket.end();
  const ping = reply.keepAlive === true ? wire.keepAlive : '';
  const encoder = new TextEncoder();
  for (const [sent, chunk] of [...chunks, ''].entries()) {
    if (sent > 0 && reply.pause?.afterChunks === sent) await reply.pause.until;
    if (reply.failure?.afterChunks === sent) {
      await socket.write(encoder.encode(wire.failure(reply.failure)));
      return socket.end();
    }
    if (sent === chunks.length) break;
    if (reply.cutAfterChunks === sent) return socket.destroy();
    if (reply.endAfterChunks === sent) return socket.end();
    const bytes = encoder.encode(ping + chunk);
    const size = reply.bytesPerWrite ?? bytes.length;
    for (let at = 0; at < bytes.length; at += size) {
      await socket.write(bytes.subarray(at, at + size));
    }
  }
  socket.end();
}
