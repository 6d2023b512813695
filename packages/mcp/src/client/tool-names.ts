import { createHash } from 'node:crypto';

const usable = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/**
 * Names that every model vendor takes, for the names that a server gave, in their order. One that is fine stays as it
 * is. Where another had to be changed into one that is taken, or was cut, six letters of its hash tell it apart: the same
 * every time, whatever else the server lists.
 */
export function toolNames(names: readonly string[], prefix = ''): readonly string[] {
  const kept = new Set(names.map((name) => prefix + name).filter((name) => usable.test(name)));
  const plain = names.map((name) => sanitised(prefix + name));
  return names.map((name, index) => {
    const own = plain[index] ?? '';
    if (usable.test(prefix + name)) return own;
    const alone = !kept.has(own) && plain.filter((other) => other === own).length === 1;
    const cut = prefix.length + name.length > 64;
    return alone && !cut ? own : `${own.slice(0, 57)}_${hashOf(name)}`;
  });
}

function sanitised(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  return (/^[A-Za-z]/.test(plain) ? plain : `tool_${plain}`).slice(0, 64);
}

function hashOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 6);
}
