import type { ModelErrorReason } from '@agent-functions/core';
import {
  isRecord,
  listOf,
  numberOf,
  reasonOfStatus,
  stringOf,
  type Fields,
} from '@agent-functions/core/provider';

export interface VendorError {
  readonly message: string;
  readonly status: number | undefined;
  /** The name of the code (google.rpc.Code): `RESOURCE_EXHAUSTED`. */
  readonly code: string | undefined;
  /** `reason` of the `google.rpc.ErrorInfo` among the details. */
  readonly info: string | undefined;
  /** The names of the limits that were reached (`google.rpc.QuotaFailure`). */
  readonly quotas: readonly string[];
  /** `google.rpc.RetryInfo`, in milliseconds. */
  readonly retryDelayMs: number | undefined;
}

/**
 * The error object in the text of the SDK's error: the body as JSON, after `got status: … ` where it came in a stream, in
 * a list as Vertex AI may send it, or, where the answer did not call itself JSON, as a text in a body of the SDK's making.
 */
export function vendorBody(text: string, depth = 0): Fields | undefined {
  const start = text.search(/[[{]/);
  if (start < 0 || depth > 2) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.slice(start));
  } catch {
    return undefined;
  }
  const outer: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  const error = isRecord(outer) ? outer['error'] : undefined;
  if (!isRecord(error)) return undefined;
  return vendorBody(stringOf(error['message']) ?? '', depth + 1) ?? error;
}

/** As https://cloud.google.com/apis/design/errors has it: code, status, message, details. */
export function vendorError(body: Fields = {}, answered: number | undefined): VendorError {
  const details = listOf(body['details']).filter((one) => isRecord(one));
  const of = (type: string): Fields | undefined =>
    details.find((one) => stringOf(one['@type'])?.endsWith(type) === true);
  const info = of('google.rpc.ErrorInfo');
  const metadata = isRecord(info?.['metadata']) ? info['metadata'] : {};
  const violations = listOf(of('google.rpc.QuotaFailure')?.['violations']);
  const quotas = [
    ...violations.flatMap((one) => (isRecord(one) ? [stringOf(one['quotaId']) ?? ''] : [])),
    stringOf(metadata['quota_limit']) ?? '',
  ].filter((one) => one !== '');
  const delay = /^(\d+(?:\.\d+)?)s$/.exec(
    stringOf(of('google.rpc.RetryInfo')?.['retryDelay']) ?? '',
  )?.[1];
  const said = stringOf(body['message']) ?? '';
  return {
    // A page of a proxy says nothing that a reader can use.
    message: /^\s*</.test(said) ? '' : said,
    status: numberOf(body['code']) ?? answered,
    code: stringOf(body['status']),
    info: stringOf(info?.['reason']),
    quotas,
    retryDelayMs: delay === undefined ? undefined : Math.ceil(Number(delay) * 1000),
  };
}

const byInfo: { readonly [reason: string]: ModelErrorReason } = {
  API_KEY_INVALID: 'authentication',
  API_KEY_EXPIRED: 'authentication',
  ACCESS_TOKEN_EXPIRED: 'authentication',
  CREDENTIALS_MISSING: 'authentication',
  API_KEY_SERVICE_BLOCKED: 'permission',
  API_KEY_HTTP_REFERRER_BLOCKED: 'permission',
  API_KEY_IP_ADDRESS_BLOCKED: 'permission',
  SERVICE_DISABLED: 'permission',
  BILLING_DISABLED: 'quota',
};

// It has no code of its own: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
const aboutContext =
  /token count|number of tokens|context (length|window|size)|prompt is too long|input is too long/i;

/** Why a call failed, by what the vendor says of it. */
export function reasonOf({
  status,
  info,
  code,
  message,
  quotas,
  retryDelayMs,
}: VendorError): ModelErrorReason {
  const known = byInfo[info ?? ''];
  if (known !== undefined) return known;
  if (status === 429) {
    // The limit of a day, or of the plan, is not one to wait for.
    if (quotas.some((one) => /PerDay|PerMonth/i.test(one))) return 'quota';
    const paid = /plan and billing|credits|spend/i.test(message);
    return paid && quotas.length === 0 && retryDelayMs === undefined ? 'quota' : 'rate-limit';
  }
  if (status === 400) {
    if (/API key (not valid|expired|not found)/i.test(message)) return 'authentication';
    if (aboutContext.test(message)) return 'context-length';
    // A country, or a plan, that the API does not serve.
    return code === 'FAILED_PRECONDITION' ? 'permission' : 'invalid-request';
  }
  return status === undefined ? 'unknown' : reasonOfStatus(status);
}
