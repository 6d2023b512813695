import { z } from 'zod';

export interface FoundOllama {
  /** Of its OpenAI-compatible API. */
  readonly baseURL: string;
  readonly model: string;
}

const listed = z.object({ data: z.array(z.object({ id: z.string() })) });

// On this machine it answers in a few milliseconds or not at all.
const probeMs = 300;

/**
 * Looks for an Ollama that answers, at `OLLAMA_HOST` or its usual port, and picks one of its models: `OLLAMA_MODEL`, else
 * one that is known to call tools, else the first.
 */
export async function findOllama(
  env: Readonly<Record<string, string | undefined>>,
): Promise<FoundOllama | undefined> {
  const baseURL = `${address(env['OLLAMA_HOST'])}/v1`;
  const models = await list(`${baseURL}/models`);
  const model =
    models.find((name) => name === env['OLLAMA_MODEL']) ??
    models.find((name) => callsTools.test(name)) ??
    models[0];
  return model === undefined ? undefined : { baseURL, model };
}

const callsTools = /^(?:gpt-oss|qwen3|qwen2\.5|llama3\.[1-9]|llama4|mistral|ministral|granite)/;
const embeds = /embed|minilm|bge/;

async function list(url: string): Promise<readonly string[]> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(probeMs) });
    if (!response.ok) return [];
    const models = listed.parse(await response.json()).data.map((each) => each.id);
    return models.filter((name) => !embeds.test(name));
  } catch {
    return [];
  }
}

/** `OLLAMA_HOST` is what the server listens on: without a scheme, often without a port, or all interfaces. */
function address(host: string | undefined): string {
  const given = host?.trim() ?? '';
  const url = URL.parse(
    given.includes('://') ? given : `http://${given === '' ? '127.0.0.1' : given}`,
  );
  if (url === null) return 'http://127.0.0.1:11434';
  if (url.port === '' && url.protocol === 'http:') url.port = '11434';
  if (url.hostname === '0.0.0.0' || url.hostname === 'localhost') url.hostname = '127.0.0.1';
  return url.origin;
}
