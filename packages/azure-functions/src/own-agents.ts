/**
 * Keeps the function that serves all agents from serving one that has a level of its own. The host's literal route
 * catches its plain name; a path that only reads like that name (other case, escapes, `_` for `-`) must not slip past it.
 */
export function ownAgentGuard(
  agents: Iterable<string>,
  pattern: string,
): (path: string) => string | undefined {
  const own = new Map([...agents].map((name) => [folded(name), name]));
  const at = pattern.split('/').indexOf('{name}');
  if (own.size === 0 || at < 0) return () => undefined;
  return (path) => {
    const segment = path.split('/').filter((part, index) => part !== '' || index === 0)[at];
    return segment === undefined ? undefined : own.get(folded(unescaped(segment)));
  };
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

function unescaped(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
