import { badRequest, type Problem } from './problem.ts';

// Which page of a list a caller wants: the schemas of the query, and the functions that enforce them.

export const limitSchema = { type: 'integer', minimum: 1, maximum: 100, default: 50 } as const;
export const cursorSchema = { type: 'string', minLength: 1, maxLength: 2_000 } as const;

/** @throws Problem 400. */
export function limitIn(query: URLSearchParams): number {
  const text = query.get('limit');
  if (text === null) return limitSchema.default;
  const { minimum, maximum } = limitSchema;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= minimum && limit <= maximum) return limit;
  throw badRequest(`?limit= must be a whole number from ${minimum} to ${maximum}.`);
}

/** @throws Problem 400 for what no store gives out. */
export function cursorIn(query: URLSearchParams): string | undefined {
  const text = query.get('cursor');
  if (text === null || text === '') return undefined;
  if (text.length <= cursorSchema.maxLength && /^[\x21-\x7e]+$/.test(text)) return text;
  throw noCursor();
}

/** 400: the cursor is of another list, or of none. */
export function noCursor(): Problem {
  return badRequest('?cursor= is not a cursor of this list. Send the cursor of the page before.');
}
