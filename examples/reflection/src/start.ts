import { sayYourTurn, serveExample } from 'demo-model/play';
import { app } from './app.ts';
import { reflectionInWords } from './reflection-in-words.ts';
import { samples } from './samples.ts';

const url = await serveExample(app);
const route = `${url}/api/demo/reflection`;
for (const sample of samples) {
  const response = await fetch(route, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(sample),
  });
  if (!response.ok)
    throw new Error(`${route} answered ${response.status}: ${await response.text()}`);
  console.log(`\n${reflectionInWords(await response.json())}`);
}
sayYourTurn(url, route, samples[1]);
