import type { Json, Principal } from '@agent-functions/core';

export interface EasyAuthOptions {
  /** Which claim types are kept with a run (`roles`, `preferred_username` …). Default: none. */
  readonly claims?: readonly string[] | undefined;
}

const principalHeader = 'x-ms-client-principal';

/** Who the caller is, best first: the object id, the subject, the name identifier. */
const idClaims = [
  'http://schemas.microsoft.com/identity/claims/objectidentifier',
  'oid',
  'sub',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier',
];

/**
 * The principal that App Service Authentication puts in `x-ms-client-principal` (base64 of JSON with `auth_typ` and
 * `claims`). The platform removes the header from what a client sends, only where authentication is switched on.
 *
 * @throws Error for a header that is not of that form.
 */
export function easyAuthPrincipal(
  headers: Headers,
  options: EasyAuthOptions,
): Principal | undefined {
  const header = headers.get(principalHeader);
  if (header === null) return undefined;
  const { provider, claims } = parse(header);
  const id =
    idClaims.map((type) => claims.find((claim) => claim.type === type)?.value).find(Boolean) ??
    headers.get(`${principalHeader}-id`) ??
    undefined;
  if (id === undefined || id === '')
    throw new Error(`The header ${principalHeader} names no user: no ${idClaims.join(', ')}.`);
  const kept = Object.fromEntries(
    (options.claims ?? []).flatMap((type): [string, Json][] => {
      const values = claims.filter((claim) => claim.type === type).map((claim) => claim.value);
      const [first] = values;
      if (first === undefined) return [];
      return [[type, values.length === 1 ? first : values]];
    }),
  );
  return { id: `${provider}:${id}`, claims: kept };
}

function parse(header: string): {
  readonly provider: string;
  readonly claims: readonly { readonly type: string; readonly value: string }[];
} {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  } catch (error) {
    throw malformed(error);
  }
  if (typeof value !== 'object' || value === null) throw malformed();
  if (!('auth_typ' in value) || typeof value.auth_typ !== 'string') throw malformed();
  if (!('claims' in value) || !Array.isArray(value.claims)) throw malformed();
  const claims = value.claims.flatMap((claim: unknown) =>
    typeof claim === 'object' &&
    claim !== null &&
    'typ' in claim &&
    'val' in claim &&
    typeof claim.typ === 'string' &&
    typeof claim.val === 'string'
      ? [{ type: claim.typ, value: claim.val }]
      : [],
  );
  return { provider: value.auth_typ, claims };
}

function malformed(cause?: unknown): Error {
  return new Error(`The header ${principalHeader} is not base64 of a principal in JSON.`, {
    cause,
  });
}
