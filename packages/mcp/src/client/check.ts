import { UserError } from '@agent-functions/core';
import {
  checkOptions,
  kindOf,
  oneOf,
  optionKinds,
  type OptionKinds,
} from '@agent-functions/core/provider';

const approval = kindOf(
  (value) => isApproval(value) || (isObject(value) && Object.values(value).every(isApproval)),
  "Write 'always', 'never', a function, or an object of those by tool names.",
);
const duration = kindOf(
  (value) => typeof value === 'number' && value > 0 && value <= 2_147_483_647,
  'Write milliseconds, above 0 and at most 2,147,483,647.',
);
const byTool = kindOf(isObject, 'Write an object by tool names.');
const call = kindOf((value) => typeof value === 'function', 'Write a function.');

const kinds: OptionKinds = {
  command: optionKinds.text,
  args: optionKinds.texts,
  env: optionKinds.headers,
  cwd: optionKinds.text,
  encoding: kindOf(isEncoding, "Write one that TextDecoder knows, such as 'utf-8'."),
  encodingErrorHandler: oneOf('strict', 'replace'),
  url: optionKinds.address,
  sessionUrl: optionKinds.address,
  scope: optionKinds.text,
  fetch: optionKinds.fetch,
  sseReadTimeoutMs: duration,
  allowedTools: optionKinds.texts,
  deniedTools: optionKinds.texts,
  toolFilter: call,
  toolPrefix: kindOf(
    (value) => typeof value === 'string' || typeof value === 'boolean',
    'Write a text, or true for the name of the server.',
  ),
  needsApproval: approval,
  required: optionKinds.flag,
  cacheToolsList: kindOf(
    (value) =>
      typeof value === 'boolean' || (isObject(value) && Number(Reflect.get(value, 'ttlMs')) > 0),
    'Write true, false or { ttlMs: 60_000 }.',
  ),
  trusted: optionKinds.flag,
  effects: kindOf(
    (value) =>
      isObject(value) &&
      Object.values(value).every((one) => one === 'read' || one === 'idempotent' || one === 'once'),
    "Write an object with 'read', 'idempotent' or 'once' by tool names.",
  ),
  onAmbiguous: oneOf('report', 'ask'),
  accepted: byTool,
  timeoutMs: duration,
  idleTimeoutMs: duration,
  connectTimeoutMs: duration,
  maxMessageBytes: kindOf((value) => Number(value) >= 1_024, 'Write bytes, at least 1,024.'),
  reconnect: kindOf(isObject, 'Write { minMs: 500, maxMs: 30_000 }.'),
  protocolVersion: kindOf(
    (value) => value === 'auto' || (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)),
    "Write 'auto' or a revision such as '2025-11-25'.",
  ),
  elicit: call,
  elicitTimeoutMs: duration,
  inputTimeoutMs: duration,
  logger: kindOf(
    (value) => isObject(value) && typeof Reflect.get(value, 'log') === 'function',
    'Write a logger: it has log().',
  ),
};

/** @throws UserError for an option that is not what it may be. Others are left to whoever knows them. */
export function checkValues(where: string, options: object): void {
  const known = Object.entries(options).filter(([name]) => Object.hasOwn(kinds, name));
  checkOptions(where, Object.fromEntries(known), kinds);
}

/** @throws UserError for a name that is not known; the hint says which there are. */
export function checkKnown(where: string, options: unknown, known: readonly string[]): void {
  if (!isObject(options)) {
    throw new UserError(`${where} is not an object with options: ${known.join(', ')}.`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    const own = `${name}Ms`;
    throw new UserError(
      known.includes(own)
        ? `${where} has no option ${name}, because its unit would be a guess. Write ${own}, in milliseconds.`
        : `${where} has no option ${JSON.stringify(name)}. Options: ${known.join(', ')}.`,
    );
  }
}

function isEncoding(value: unknown): boolean {
  try {
    return typeof value === 'string' && new TextDecoder(value).encoding !== '';
  } catch {
    return false;
  }
}

function isApproval(value: unknown): boolean {
  return value === 'always' || value === 'never' || typeof value === 'function';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
