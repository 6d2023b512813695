import { UserError } from '@agent-functions/core';

/** By its name: a header with anything else may travel in the open. */
export function isSecretHeader(name: string): boolean {
  return /auth|token|key|secret|cookie|credential|password|session/i.test(name);
}

/** @throws UserError for credentials that would travel in the open. */
export function mustBeSafe(where: string, url: URL): void {
  if (url.protocol === 'https:' || isLoopback(url.hostname)) return;
  throw new UserError(
    `The credentials of ${where} would go to ${url.origin} in the open. Use https, or leave them out.`,
  );
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
