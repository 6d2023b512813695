/** The `data` of each event of a stream, as JSON, as it arrives. */
export async function* serverSentEvents(response: Response): AsyncGenerator {
  if (response.body === null) throw new Error('The server answered without a body.');
  let rest = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}
