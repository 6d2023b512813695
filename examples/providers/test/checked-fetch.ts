import { requestFaults as anthropicFaults } from '../../../packages/providers-anthropic/test/request-faults.ts';
import { problemsOf as googleFaults } from '../../../packages/providers-google/test/validate-request.ts';
import { requestFaults as ollamaFaults } from '../../../packages/providers-ollama/test/request-faults.ts';
import { requestFaults as openaiFaults } from '../../../packages/providers-openai/test/request-faults.ts';

/** A request that somebody sent, and what is wrong with it by what its vendor documents. */
export interface CheckedRequest {
  /** Whose API the path is. */
  readonly api: string;
  readonly faults: readonly string[];
}

interface Sent {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

interface Api {
  readonly name: string;
  readonly path: RegExp;
  faults(sent: Sent): readonly string[];
}

const apis: readonly Api[] = [
  { name: 'openai', path: /^\/v1\/(responses|chat\/completions)$/, faults: ofBody(openaiFaults) },
  {
    name: 'azure',
    path: /^\/openai\/v1\/(responses|chat\/completions)$/,
    faults: ofBody(openaiFaults),
  },
  { name: 'anthropic', path: /^\/v1\/messages$/, faults: ofBody(anthropicFaults) },
  { name: 'vertex', path: /^\/v1\/projects\/[^?]+:\w+(\?|$)/, faults: googleFaults },
  { name: 'google', path: /^\/v1beta\/models\/[^?]+:\w+(\?|$)/, faults: googleFaults },
  { name: 'ollama', path: /^\/api\/chat$/, faults: ofBody(ollamaFaults) },
];

function ofBody(faults: (body: unknown) => readonly string[]): Api['faults'] {
  return ({ body }) => faults(JSON.parse(body));
}

/**
 * `globalThis.fetch`, by which the SDKs of all vendors send, held against what these document: what each request was is
 * added to `checked`. One to a path that is none of theirs is a fault, too, so that none goes unseen.
 */
export function checkedFetch(checked: CheckedRequest[]): typeof globalThis.fetch {
  const { fetch } = globalThis;
  return async (input, init) => {
    const request = new Request(input, init);
    const { pathname, search } = new URL(request.url);
    const url = pathname + search;
    const api = apis.find(({ path }) => path.test(url));
    const headers = Object.fromEntries(request.headers);
    const body = await request.clone().text();
    checked.push({
      api: api?.name ?? url,
      faults: api?.faults({ method: request.method, url, headers, body }) ?? [
        `${request.method} ${url} is of no vendor that is checked.`,
      ],
    });
    return fetch(request);
  };
}

/** @throws Error that says what the vendors refuse. */
export function expectLegal(checked: readonly CheckedRequest[]): void {
  const faults = checked.flatMap(({ api, faults }) => faults.map((fault) => `${api}: ${fault}`));
  if (faults.length > 0) throw new Error(`The vendors refuse what was sent:\n${faults.join('\n')}`);
}
