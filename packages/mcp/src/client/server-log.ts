import type { LogLevel } from '@agent-functions/core';

/** Levels of syslog, as MCP has them, in ours. */
export function toLogLevel(level: string): LogLevel {
  switch (level) {
    case 'debug':
      return 'debug';
    case 'info':
    case 'notice':
      return 'info';
    case 'warning':
      return 'warn';
    default:
      return 'error';
  }
}

/** What a server logged, on one line of bounded length. */
export function toLogText(data: unknown): string {
  const text = typeof data === 'string' ? data : (JSON.stringify(data) ?? '');
  return text.replaceAll(/\s+/g, ' ').slice(0, 1_000);
}
