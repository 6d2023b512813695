import {
  checkOptions,
  isRecord,
  listOf,
  stringOf,
  WireError,
} from '@agent-functions/core/provider';
import { ollamaApi } from './api.ts';
import { errorContext, toModelError } from './errors.ts';
import { listKinds } from './option-kinds.ts';
import type { OllamaOptions } from './options.ts';

/** A model that a server has on its disk. */
export interface OllamaModel {
  /** What `ollama()` takes: `qwen3:latest`. */
  readonly name: string;
  /** On the disk. */
  readonly sizeBytes: number;
  /** `qwen3`, `llama`, … */
  readonly family?: string | undefined;
  /** As the server says it: `8.2B`. */
  readonly parameterSize?: string | undefined;
  /** `Q4_K_M`, … */
  readonly quantization?: string | undefined;
  /** ISO 8601. */
  readonly modifiedAt?: string | undefined;
}

export interface ListModelsOptions extends Pick<
  OllamaOptions,
  'host' | 'apiKey' | 'headers' | 'fetch' | 'client'
> {
  readonly signal?: AbortSignal | undefined;
}

/**
 * The models that a server has: what `ollama list` shows.
 *
 * @throws UserError for an option of another kind.
 * @throws ModelError when no server answers; the sentence says how to start it.
 */
export async function listModels(options: ListModelsOptions = {}): Promise<readonly OllamaModel[]> {
  const { signal = new AbortController().signal, headers = {} } = options;
  const { host, apiKey, fetch, client } = options;
  checkOptions('listModels()', options, listKinds);
  const model = 'the list of models';
  let context = errorContext({ model, host: host ?? 'its host', secrets: Object.values(headers) });
  try {
    signal.throwIfAborted();
    const connection = await ollamaApi({ host, apiKey, headers, fetch, client }).connect();
    context = errorContext({ model, ...connection });
    const answer = await connection.list(signal);
    if (!isRecord(answer)) throw new WireError('the list of models is not a JSON object');
    return listOf(answer['models']).flatMap(toModel);
  } catch (error) {
    throw signal.aborted ? signal.reason : toModelError(error, context);
  }
}

/** `ModelResponse` of the SDK. */
function toModel(one: unknown): readonly OllamaModel[] {
  if (!isRecord(one)) return [];
  const name = stringOf(one['name']) ?? stringOf(one['model']);
  if (name === undefined) return [];
  const details = isRecord(one['details']) ? one['details'] : {};
  const size = one['size'];
  return [
    {
      name,
      sizeBytes: typeof size === 'number' ? size : 0,
      family: stringOf(details['family']),
      parameterSize: stringOf(details['parameter_size']),
      quantization: stringOf(details['quantization_level']),
      modifiedAt: stringOf(one['modified_at']),
    },
  ];
}
