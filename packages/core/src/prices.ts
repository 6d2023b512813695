import { UserError } from './errors.ts';
import { isJsonObject, toJson, type JsonObject } from './json.ts';
import type { ModelName } from './model.ts';
import type { RequestUsage } from './usage.ts';

/** What a model costs, in US dollars for a million tokens. */
export interface Price {
  readonly input: number;
  /** Reasoning included. */
  readonly output: number;
  /** Of input that the vendor had in its cache. Default: `input`. */
  readonly cachedInput?: number | undefined;
  /** Of input that the vendor wrote to its cache. Default: `input`. */
  readonly cacheWrite?: number | undefined;
}

/**
 * Prices by `provider/model`, or by `model` alone. The app brings them: prices change, and differ by contract, region
 * and tier. A name in the table wins in this order: the model that answered (vendors name dated versions), then the one
 * that was asked, each with its provider first.
 */
export interface PriceTable {
  readonly [model: string]: Price;
}

/** The price of a model, or `undefined`. `answered` is `modelId` of its response. */
export function priceOf(
  prices: PriceTable,
  { provider, modelId }: ModelName,
  answered?: string,
): Price | undefined {
  for (const id of answered === undefined ? [modelId] : [answered, modelId]) {
    for (const name of [`${provider}/${id}`, id]) {
      if (Object.hasOwn(prices, name)) return prices[name];
    }
  }
  return undefined;
}

/** What a call cost, in US dollars: input that was read from a cache or written to it is priced apart from the rest. */
export function costOf(usage: RequestUsage, price: Price): number {
  const { inputTokens, outputTokens, cachedInputTokens = 0, cacheWriteInputTokens = 0 } = usage;
  const cached = Math.min(cachedInputTokens, inputTokens);
  const written = Math.min(cacheWriteInputTokens, inputTokens - cached);
  const { input, output, cachedInput = input, cacheWrite = input } = price;
  const rest = inputTokens - cached - written;
  return (rest * input + cached * cachedInput + written * cacheWrite + outputTokens * output) / 1e6;
}

/**
 * Checks a price table that was read from somewhere: `priceTable(JSON.parse(await readFile('prices.json', 'utf8')))`.
 * Each model has `input`, `output` and maybe `cachedInput` and `cacheWrite`, in dollars for a million tokens; or, as public price lists
 * have them, `input_cost_per_token`, `output_cost_per_token` and maybe `cache_read_input_token_cost` and
 * `cache_creation_input_token_cost`, in dollars for one.
 * Of such a list, entries without prices for tokens (images, speech) are left out.
 *
 * @throws UserError that names the entry that cannot be meant.
 */
export function priceTable(json: unknown): PriceTable {
  const table = toJson(json);
  if (!isJsonObject(table)) {
    throw new UserError('A price table is an object: { "provider/model": { input, output } }.');
  }
  const prices: { [model: string]: Price } = {};
  for (const [model, entry] of Object.entries(table)) {
    if (!isJsonObject(entry)) throw wrong(model, entry);
    const price = perToken(entry) ? ofTokens(model, entry) : ofMillions(model, entry);
    if (price !== undefined) prices[model] = price;
  }
  return prices;
}

const perTokenNames = /_cost_per_|^cache_(read|creation)_input_token_cost$|^mode$/;

function perToken(entry: JsonObject): boolean {
  return Object.keys(entry).some((name) => perTokenNames.test(name));
}

function ofTokens(model: string, entry: JsonObject): Price | undefined {
  const [input, output] = [entry['input_cost_per_token'], entry['output_cost_per_token']];
  if (input === undefined || output === undefined) return undefined;
  const cached = entry['cache_read_input_token_cost'];
  const written = entry['cache_creation_input_token_cost'];
  return {
    input: dollars(model, entry, input) * 1e6,
    output: dollars(model, entry, output) * 1e6,
    ...(cached === undefined ? {} : { cachedInput: dollars(model, entry, cached) * 1e6 }),
    ...(written === undefined ? {} : { cacheWrite: dollars(model, entry, written) * 1e6 }),
  };
}

function ofMillions(model: string, entry: JsonObject): Price {
  const { input, output, cachedInput, cacheWrite, ...rest } = entry;
  if (Object.keys(rest).length > 0) throw wrong(model, entry);
  return {
    input: dollars(model, entry, input),
    output: dollars(model, entry, output),
    ...(cachedInput === undefined ? {} : { cachedInput: dollars(model, entry, cachedInput) }),
    ...(cacheWrite === undefined ? {} : { cacheWrite: dollars(model, entry, cacheWrite) }),
  };
}

function dollars(model: string, entry: JsonObject, value: unknown): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw wrong(model, entry);
}

function wrong(model: string, entry: unknown): UserError {
  return new UserError(
    `The price of ${model} is ${JSON.stringify(entry)}. Write { "input": 0.25, "output": 2, "cachedInput": 0.025 }, in dollars for a million tokens.`,
  );
}
