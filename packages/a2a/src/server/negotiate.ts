import type { AgentCard } from '@a2a-js/sdk';
import { Refused } from './refused.ts';
import type { Sdk } from './sdk.ts';

export const jsonType = 'application/json';
export const a2aType = 'application/a2a+json';

/**
 * The protocol version of a request: its header, else its query (specification 3.6.1). None, or an empty one, is 0.3; a
 * patch number does not count (3.6).
 */
export function versionOf(request: Request): string {
  const said =
    request.headers.get('a2a-version') ??
    new URL(request.url).searchParams.get('A2A-Version') ??
    '';
  const text = said.trim();
  if (text === '') return '0.3';
  return /^(\d+\.\d+)\.\d+$/.exec(text)?.[1] ?? text;
}

/** @throws Refused `VersionNotSupported` for a version that the card does not list for this binding. */
export function checkVersion(
  { server }: Sdk,
  version: string,
  card: AgentCard,
  binding: 'JSONRPC' | 'HTTP+JSON',
): void {
  const supported = server.getSupportedVersions(card, binding);
  if (supported.has(version)) return;
  throw new Refused(
    'VersionNotSupported',
    `A2A version ${JSON.stringify(version)} is not spoken here over ${binding}. Send the header A2A-Version with one of: ${[...supported].join(', ')}.`,
    { supportedVersions: [...supported].join(',') },
  );
}

/**
 * The extensions that a request asks for and this agent knows (specification 3.2.6, 4.6).
 *
 * @throws Refused `ExtensionSupportRequired` where a required one was not asked for.
 */
export function extensionsOf({ core }: Sdk, headers: Headers, card: AgentCard): readonly string[] {
  const said = headers.get('a2a-extensions') ?? headers.get('x-a2a-extensions') ?? undefined;
  const asked = core.Extensions.parseServiceParameter(said);
  const known = card.capabilities?.extensions ?? [];
  for (const { uri, required } of known) {
    if (!required || asked.includes(uri)) continue;
    throw new Refused(
      'ExtensionSupportRequired',
      `This agent needs the extension ${uri}. Support it, and name it in the header A2A-Extensions.`,
      { extension: uri },
    );
  }
  return asked.filter((uri) => known.some((each) => each.uri === uri));
}

/** @throws Refused `ContentTypeNotSupported` for a body that is not JSON by its header. */
export function checkContentType(headers: Headers): void {
  const type = headers.get('content-type');
  if (type === null) return;
  const media = (type.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (media === jsonType || media === a2aType) return;
  throw new Refused(
    'ContentTypeNotSupported',
    `The body is ${media === '' ? 'of no content type' : media}. Send ${a2aType} or ${jsonType}.`,
    { mediaType: media },
  );
}

/** The content type of the answer: as asked, else what the binding prefers. */
export function answerType(headers: Headers, preferred: typeof jsonType | typeof a2aType): string {
  const accept = (headers.get('accept') ?? '').toLowerCase();
  const other = preferred === jsonType ? a2aType : jsonType;
  const takes = (type: string): boolean => accept.includes(type);
  return takes(other) && !takes(preferred) ? other : preferred;
}
