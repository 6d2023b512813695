import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const program = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json')),
  'clients/launcher/build/index.js',
);

const output = z.object({
  tools: z.array(z.object({ name: z.string(), description: z.string() })).optional(),
  structuredContent: z
    .object({
      status: z.string(),
      response: z.string().optional(),
      run_id: z.string(),
      interruptions: z
        .array(z.object({ id: z.string(), tool_name: z.string(), input: z.unknown() }))
        .optional(),
    })
    .optional(),
});

/** `inspector --cli <url> …`: a client that knows nothing of this example, in a process of its own. */
export async function inspect(
  url: string,
  ...args: readonly string[]
): Promise<z.infer<typeof output>> {
  console.log(`\n$ inspector --cli <url>/mcp ${args.map(shown).join(' ')}`);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [program, '--cli', `${url}/mcp`, ...args],
    { env: { PATH: process.env['PATH'], HOME: tmpdir() } },
  );
  return output.parse(JSON.parse(stdout));
}

/** Ids are others each time. */
function shown(arg: string): string {
  const plain = arg
    .replace(/^run_id=.*/, 'run_id=…')
    .replace(/"interruption_id":"[^"]*"/, '"interruption_id":"…"');
  return /[\s"]/.test(plain) ? `'${plain}'` : plain;
}
