/** The address cannot be served; the message says which and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** What Node says when it cannot listen, as a sentence. */
export function listenError(
  error: unknown,
  { port, host }: { readonly port: number; readonly host: string },
): ListenError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const sentence = (): string => {
    switch (code) {
      case 'EADDRINUSE':
        return `Port ${port} of ${host} is in use. Stop what listens there, or choose another port: --port ${port + 1}`;
      case 'EADDRNOTAVAIL':
        return `This machine has no address ${host}. Leave --host out for this machine only, or use --host 0.0.0.0 for every address it has.`;
      case 'ENOTFOUND':
      case 'EAI_AGAIN':
        return `The host ${host} is not known here. Leave --host out, or give an address of this machine.`;
      case 'EACCES':
        return `Port ${port} of ${host} needs rights that this process does not have. Choose one above 1023: --port 7071`;
      default:
        return `${host}, port ${port}, cannot be served: ${error instanceof Error ? error.message : code}`;
    }
  };
  return new ListenError(sentence(), { cause: error });
}
