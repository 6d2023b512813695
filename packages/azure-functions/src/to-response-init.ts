import type { HostContext } from '@agent-functions/core';
import type { HttpResponseInit } from '@azure/functions';
import { toCookie } from './cookies.ts';
import { endToEnd } from './headers.ts';
import type { Invocation } from './invocations.ts';
import { internalProblem, problemJson } from './problem.ts';
import { responseBody } from './response-body.ts';
import type { Wire } from './wire.ts';

/** The answer in the library's form. */
export async function toResponseInit(
  response: Response,
  options: {
    readonly wire: Wire | undefined;
    readonly invocation: Invocation;
    readonly host: HostContext;
    /** Awaited before the answer ends. */
    readonly settleBody: () => Promise<void>;
  },
): Promise<HttpResponseInit> {
  const { wire, invocation, host, settleBody } = options;
  // `Response.error()`: the library would fail on it when it is too late to answer.
  if (response.status < 200) throw new RangeError(`The answer has the status ${response.status}.`);
  const init: HttpResponseInit = {
    status: response.status,
    headers: [],
    ...headersOf(response, wire),
  };
  if (response.body === null) {
    await settleBody();
    invocation.end();
    return init;
  }
  const eventStream =
    response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (!eventStream && wire === undefined) {
    // Without the wire a body that breaks could not be told from one that ends, so it is read before the status goes out.
    const body = await response.arrayBuffer();
    await settleBody();
    invocation.end();
    return { ...init, body };
  }
  return {
    ...init,
    body: responseBody(response.body, {
      eventStream,
      wire,
      signal: invocation.signal,
      onError(error) {
        host.log('error', `The body of the answer broke off: ${String(error)}`);
        return problemJson(internalProblem(host.invocationId));
      },
      beforeEnd: settleBody,
      onEnd: () => invocation.end(),
    }),
  };
}

function headersOf(
  response: Response,
  wire: Wire | undefined,
): Pick<HttpResponseInit, 'headers' | 'cookies'> {
  const all = endToEnd(response.headers);
  const headers = all.filter(([name]) => name !== 'set-cookie');
  const setCookie = response.headers.getSetCookie();
  if (setCookie.length === 0) return { headers };
  // cure: set-cookie | return { headers: all };
  // The library writes headers one by one, and of several with one name only the last stays.
  if (wire !== undefined) {
    wire.response.setHeader('set-cookie', setCookie);
    return { headers };
  }
  return { headers, cookies: setCookie.flatMap((header) => toCookie(header) ?? []) };
  // cure-end: set-cookie
}
