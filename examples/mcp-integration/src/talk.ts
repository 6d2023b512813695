import { z } from 'zod';

const answer = z.object({
  status: z.string(),
  response: z.string(),
  session_id: z.string(),
  tool_results: z.array(
    z.object({ tool: z.string(), arguments: z.unknown(), result: z.unknown() }),
  ),
});

/** Asks an agent over the HTTP API, and prints its calls of tools and its answer. */
export async function talk(url: string, agent: string, message: string): Promise<void> {
  console.log(`\nto ${agent}: ${message}`);
  const response = await fetch(`${url}/api/agents/${agent}/chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message }),
  });
  if (!response.ok)
    throw new Error(`${agent} answered ${response.status}: ${await response.text()}`);
  const { response: said, tool_results: calls } = answer.parse(await response.json());
  for (const { tool, arguments: input, result } of calls) {
    console.log(`  ${tool} ${JSON.stringify(input)}`);
    console.log(`    ${JSON.stringify(result)}`);
  }
  console.log(`${agent}: ${said}`);
}
