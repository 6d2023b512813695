import { afterEach, describe, expect, it, vi } from 'vitest';
import { consoleLogger, silentLogger, type LogLevel } from './logger.ts';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** What reaches the console, by its method. */
function listen(): [LogLevel, unknown][] {
  const lines: [LogLevel, unknown][] = [];
  for (const level of levels) {
    vi.spyOn(console, level).mockImplementation((line: unknown) => {
      lines.push([level, JSON.parse(String(line))]);
    });
  }
  return lines;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('consoleLogger', () => {
  it('writes one JSON line an entry, to the console method of its level', () => {
    const lines = listen();
    consoleLogger({ level: 'debug' }).log('warn', 'model retry', { runId: 'r1', attempt: 2 });
    expect(lines).toEqual([
      ['warn', { level: 'warn', message: 'model retry', runId: 'r1', attempt: 2 }],
    ]);
  });

  it('leaves out what is below its level, which is info', () => {
    const lines = listen();
    for (const level of levels) consoleLogger().log(level, 'x');
    for (const level of levels) consoleLogger({ level: 'error' }).log(level, 'y');
    expect(lines.map(([level]) => level)).toEqual(['info', 'warn', 'error', 'error']);
  });
});

describe('silentLogger', () => {
  it('writes nothing', () => {
    const lines = listen();
    for (const level of levels) silentLogger.log(level, 'x');
    expect(lines).toEqual([]);
  });
});
