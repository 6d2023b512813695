import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect, test } from 'vitest';
import { miniHost } from '../../../packages/azure-functions/test/mini-host.ts';

test('on Azure Functions /mcp is a function of the app, for clients of both eras', async () => {
  const host = await miniHost(() => import('../src/app.ts'));
  expect(host.streams).toBe(true);
  for (const mode of ['auto', 'legacy'] as const) {
    const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${host.url}/mcp`)));
    const said: (string | undefined)[] = [];
    const result = await client.callTool(
      { name: 'weather_stdio', arguments: { message: 'What is the weather in Oslo?' } },
      { onprogress: ({ message }) => void said.push(message) },
    );
    expect(result).toMatchObject({ content: [{ text: 'Oslo: clear sky, -6 °C, wind 7 km/h.' }] });
    expect(said).toContain('weather_stdio calls get_weather');
    await client.close();
  }
  await host.close();
}, 30_000);
