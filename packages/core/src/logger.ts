import type { JsonObject } from './json.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where log lines go. `fields` carry ids (`runId`, `agent`, `tool`), counts and `ms`; never content or secrets. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: JsonObject): void;
}

/** Drops everything. */
export const silentLogger: Logger = { log: () => undefined };

/** One JSON line an entry on the console: what a hosted app's log stream reads. */
export function consoleLogger(options: { readonly level?: LogLevel | undefined } = {}): Logger {
  const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
  const least = order.indexOf(options.level ?? 'info');
  return {
    log(level, message, fields) {
      if (order.indexOf(level) >= least)
        console[level](JSON.stringify({ level, message, ...fields }));
    },
  };
}
