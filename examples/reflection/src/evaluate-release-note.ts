import type { Evaluated, Evaluation } from '@agent-functions/core';
import { changesOf, versionIn } from './changes.ts';

const maxCharacters = 60;

/** How much of what a release note must be it is, and what is missing. */
export function evaluateReleaseNote({
  message,
  response,
}: Pick<Evaluated, 'message' | 'response'>): Evaluation {
  const version = versionIn(message) ?? '';
  const changes = changesOf(version) ?? [];
  const lines = response.split('\n').filter((line) => line !== '');
  const heading = `Lumo Notes ${version}`;
  const named = (number: string): boolean => response.includes(`(${number})`);
  const missing = changes.filter(({ number, internal }) => !internal && !named(number));
  const told = changes.filter(({ number, internal }) => internal && named(number));
  const long = lines.filter((line) => line.length > maxCharacters);
  const scores = {
    heading: lines[0] === heading ? 1 : 0,
    complete: without(
      missing,
      changes.filter(({ internal }) => !internal),
    ),
    public: without(
      told,
      changes.filter(({ internal }) => internal),
    ),
    short: without(long, lines),
  };
  const numbers = (some: typeof changes): string => some.map(({ number }) => number).join(', ');
  const feedback = [
    ...(scores.heading === 1 ? [] : [`Begin with "${heading}".`]),
    ...(missing.length === 0 ? [] : [`Name ${numbers(missing)}.`]),
    ...(told.length === 0 ? [] : [`Leave out ${numbers(told)}: internal.`]),
    ...(long.length === 0
      ? []
      : [`Lines of more than ${maxCharacters} characters: ${long.length}.`]),
  ].join(' ');
  const all = Object.values(scores);
  return { score: all.reduce((sum, one) => sum + one, 0) / all.length, scores, feedback };
}

/** The share of all that is not among the bad. */
function without(bad: readonly unknown[], all: readonly unknown[]): number {
  return all.length === 0 ? 1 : 1 - bad.length / all.length;
}
