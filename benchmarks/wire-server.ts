import { createServer } from 'node:http';
import { answerText, input, pieces } from './workloads.ts';

/**
 * A model without latency behind the wire of OpenAI's Responses API: everything that it says is made beforehand. Prints
 * its port. `/loop/v1/responses` asks for a tool nine times and then answers; `/turn/…` answers; `/deltas/…` answers in
 * 2,000 pieces; `/first/…` waits after the first of them.
 */
type Event = { readonly type: string; readonly [field: string]: unknown };

const usage = { input_tokens: 20, output_tokens: 10, total_tokens: 30 };

function stream(events: readonly Event[]): Buffer {
  return Buffer.from(
    events
      .map((event, index) => {
        const data = JSON.stringify({ ...event, sequence_number: index });
        return `event: ${event.type}\ndata: ${data}\n\n`;
      })
      .join(''),
  );
}

function response(status: string, output: readonly object[]): object {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_700_000_000,
    model: 'zero',
    status,
    error: null,
    incomplete_details: null,
    output,
    tools: [],
    parallel_tool_calls: true,
    usage: status === 'completed' ? usage : null,
  };
}

function answering(deltas: readonly string[]): Buffer {
  const text = deltas.join('');
  const part = { type: 'output_text', text, annotations: [] };
  const message = { id: 'msg_1', type: 'message', role: 'assistant' };
  const done = { ...message, status: 'completed', content: [part] };
  const at = { output_index: 0, content_index: 0, item_id: 'msg_1' };
  return stream([
    { type: 'response.created', response: response('in_progress', []) },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { ...message, status: 'in_progress', content: [] },
    },
    { type: 'response.content_part.added', ...at, part: { ...part, text: '' } },
    ...deltas.map((delta) => ({ type: 'response.output_text.delta', ...at, delta })),
    { type: 'response.output_text.done', ...at, text },
    { type: 'response.content_part.done', ...at, part },
    { type: 'response.output_item.done', output_index: 0, item: done },
    { type: 'response.completed', response: response('completed', [done]) },
  ]);
}

function calling(index: number): Buffer {
  const call = { id: `fc_${index}`, type: 'function_call', call_id: `call_${index}` };
  const text = JSON.stringify(input);
  const begun = { ...call, name: 'get_weather', arguments: '', status: 'in_progress' };
  const done = { ...begun, arguments: text, status: 'completed' };
  const at = { output_index: 0, item_id: call.id };
  return stream([
    { type: 'response.created', response: response('in_progress', []) },
    { type: 'response.output_item.added', output_index: 0, item: begun },
    { type: 'response.function_call_arguments.delta', ...at, delta: text },
    { type: 'response.function_call_arguments.done', ...at, arguments: text },
    { type: 'response.output_item.done', output_index: 0, item: done },
    { type: 'response.completed', response: response('completed', [done]) },
  ]);
}

const short = answering([answerText]);
const long = answering(pieces(2_000));
const begun = answering(pieces(20));
const calls = Array.from({ length: 9 }, (_, index) => calling(index));
const marker = '"type":"function_call_output"';

function bodyFor(url: string, request: string): Buffer {
  if (url.startsWith('/deltas/')) return long;
  if (url.startsWith('/first/')) return begun;
  if (url.startsWith('/turn/')) return short;
  return calls[request.split(marker).length - 1] ?? short;
}

const server = createServer((request, answer) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const url = request.url ?? '';
    const body = bodyFor(url, Buffer.concat(chunks).toString());
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    if (!url.startsWith('/first/')) {
      answer.end(body);
      return;
    }
    // The first events, up to the first piece of the answer; the rest a little later.
    const cut = body.indexOf('\n\n', body.indexOf('event: response.output_text.delta')) + 2;
    answer.write(body.subarray(0, cut));
    setTimeout(() => answer.end(body.subarray(cut)), 3);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object') process.send?.(address?.port);
});
process.on('disconnect', () => process.exit());
