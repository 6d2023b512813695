import type { Json } from './json.ts';

export type SpanAttributes = { readonly [key: string]: Json };

/** A span under way. */
export interface Span {
  set(attributes: SpanAttributes): void;
  child(name: string, attributes?: SpanAttributes): Span;
  /** W3C traceparent of this span, where the tracer has one. */
  readonly traceparent?: string | undefined;
  end(outcome?: { readonly error?: unknown }): void;
}

/** The boundary to tracing. Runs without one do no work for it. */
export interface Tracer {
  /** A root span, or a child of a `traceparent`. */
  start(
    name: string,
    attributes: SpanAttributes,
    parent?: { readonly traceparent?: string | undefined },
  ): Span;
}
