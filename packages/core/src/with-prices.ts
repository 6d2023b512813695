import type { Model, ModelName, ModelStreamEvent } from './model.ts';
import { costOf, priceOf, type PriceTable } from './prices.ts';
import { wrapModel } from './wrap-model.ts';

/**
 * A model whose responses say what they cost: `usage.costUsd`, so that results show it and `limits.costUsd` is a budget.
 * A cost that the model's own provider gives is left as it is. A model that is not in the table is a warning
 * (`no-price`), because a budget would not see it.
 *
 * Goes around one model, a `fallback()` of several, or each model of `models({ … }, { prices })`.
 */
export function withPrices(model: Model, prices: PriceTable): Model {
  return wrapModel(model, (request, options) => {
    const events = model.stream(request, options)[Symbol.asyncIterator]();
    return new PricedStream(events, model, prices);
  });
}

type Result = IteratorResult<ModelStreamEvent>;

// By hand and not a generator: a delta costs one hop.
class PricedStream implements AsyncIterableIterator<ModelStreamEvent> {
  readonly #events: AsyncIterator<ModelStreamEvent>;
  readonly #prices: PriceTable;
  #asked: ModelName;
  /** The response, behind a warning. */
  #held: Result | undefined;

  constructor(events: AsyncIterator<ModelStreamEvent>, asked: ModelName, prices: PriceTable) {
    this.#events = events;
    this.#asked = asked;
    this.#prices = prices;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    const held = this.#held;
    if (held === undefined) return this.#events.next().then(this.#read);
    this.#held = undefined;
    return Promise.resolve(held);
  }

  async return(): Promise<Result> {
    this.#held = undefined;
    await this.#events.return?.();
    return { done: true, value: undefined };
  }

  readonly #read = (result: Result): Result => {
    if (result.done === true) return result;
    const event = result.value;
    if (event.type === 'restart') this.#asked = event.to ?? this.#asked;
    if (event.type !== 'response') return result;
    const { response } = event;
    const { usage } = response;
    if (usage.costUsd !== undefined) return result;
    const price = priceOf(this.#prices, this.#asked, response.modelId);
    if (price === undefined) {
      this.#held = result;
      return { done: false, value: noPrice(this.#asked) };
    }
    const costUsd = costOf(usage, price);
    return {
      done: false,
      value: { type: 'response', response: { ...response, usage: { ...usage, costUsd } } },
    };
  };
}

function noPrice({ provider, modelId }: ModelName): ModelStreamEvent {
  return {
    type: 'warning',
    code: 'no-price',
    message: `The cost of ${provider}/${modelId} is not known: the price table has neither ${provider}/${modelId} nor ${modelId}.`,
  };
}
