/** What `Prefer` says of when to answer (RFC 7240). Whatever else it names is not known here, and therefore ignored. */
export interface Preferences {
  /** `respond-async`: a 202 instead of waiting. */
  readonly respondAsync: boolean;
  /** `wait=20`, in milliseconds. */
  readonly waitMs: number | undefined;
}

/** Reads `Prefer`; of a preference that is named twice the first counts, and one that cannot be read is ignored. */
export function preferencesIn(headers: Headers): Preferences {
  const said = new Map<string, string>();
  for (const each of parts(headers.get('prefer') ?? '', ',')) {
    const [preference = ''] = parts(each, ';');
    const [, name, quoted, token = ''] =
      /^\s*([!#$%&'*+.^`|~\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s"]*)))?\s*$/.exec(preference) ?? [];
    const key = name?.toLowerCase();
    if (key !== undefined && !said.has(key)) said.set(key, quoted ?? token);
  }
  return { respondAsync: said.has('respond-async'), waitMs: millisecondsIn(said.get('wait')) };
}

/** A list in a header, cut at a separator that is not inside quotes. */
function parts(text: string, separator: string): readonly string[] {
  const found: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') quoted = !quoted;
    else if (quoted && char === '\\') at += 1;
    else if (!quoted && char === separator) {
      found.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...found, text.slice(start)];
}

/** How long the caller waits for the answer: with `respond-async` alone not at all. `undefined`: to its end. */
export function waitsFor({ respondAsync, waitMs }: Preferences): number | undefined {
  return waitMs ?? (respondAsync ? 0 : undefined);
}

/** `Preference-Applied` of an answer: `respond-async` only where it was a 202. */
export function applied(
  { respondAsync, waitMs }: Preferences,
  status: number,
): Readonly<Record<string, string>> {
  const all = [
    ...(respondAsync && status === 202 ? ['respond-async'] : []),
    ...(waitMs === undefined ? [] : [`wait=${waitMs / 1_000}`]),
  ];
  return all.length === 0 ? {} : { 'preference-applied': all.join(', ') };
}

/** Seconds without a sign or a fraction; a day is as good as no end. */
function millisecondsIn(seconds: string | undefined): number | undefined {
  if (seconds === undefined || !/^\d{1,9}$/.test(seconds)) return undefined;
  return Math.min(Number(seconds), 86_400) * 1_000;
}
