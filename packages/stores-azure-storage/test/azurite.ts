import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

/** A real Azurite, in memory, in a process of its own, on free ports. */
export interface Azurite extends AsyncDisposable {
  readonly connectionString: string;
  /** Addresses of its services: scheme, host and port. */
  readonly origins: { readonly table: string; readonly blob: string; readonly queue: string };
  /** A name that no store before had, for `prefix`: an empty store. */
  prefix(): string;
  stop(): Promise<void>;
}

/** The account that every Azurite has: https://learn.microsoft.com/azure/storage/common/storage-connect-azurite */
export const azuriteAccount = {
  name: 'devstoreaccount1',
  key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
} as const;

const services = ['Blob', 'Queue', 'Table'] as const;
const startMs = 30_000;

/** Starts Azurite; resolves when all its services listen. One is enough for a file of tests, or for several processes. */
export async function startAzurite(): Promise<Azurite> {
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const options = ['--inMemoryPersistence', '--skipApiVersionCheck', '--disableTelemetry'];
  const ports = services.flatMap((service) => [`--${service.toLowerCase()}Port`, '0']);
  const child = spawn(process.execPath, [program, '--silent', ...options, ...ports], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // A test run that is stopped leaves no Azurite behind.
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', kill);
  let output = '';
  const found = new Map<string, string>();
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string): void => {
      kill();
      reject(new Error(`Azurite ${why}:\n${output}`));
    };
    const timer = setTimeout(() => fail(`did not start within ${startMs} ms`), startMs);
    const onExit = (code: number | null): void => fail(`ended with exit code ${code}`);
    child.once('exit', onExit);
    const read = (data: Buffer): void => {
      output += data.toString();
      for (const [, service = '', origin = ''] of output.matchAll(
        /Azurite (\w+) service is successfully listening at (http:\S+)/g,
      )) {
        found.set(service, origin);
      }
      if (found.size < services.length) return;
      clearTimeout(timer);
      child.removeListener('exit', onExit);
      resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
  });
  // Without a reader its pipe would fill and stop it.
  child.stdout.resume();
  const originOf = (service: (typeof services)[number]): string => found.get(service) ?? '';
  const origins = { table: originOf('Table'), blob: originOf('Blob'), queue: originOf('Queue') };
  let stores = 0;
  const stop = async (): Promise<void> => {
    process.removeListener('exit', kill);
    if (child.exitCode === null && child.signalCode === null) {
      kill();
      await exited;
    }
  };
  return {
    connectionString: connectionStringOf(origins),
    origins,
    prefix: () => `t${process.pid}x${++stores}`,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The connection string of an Azurite whose services, or what stands before them, are at these addresses. */
export function connectionStringOf(origins: Azurite['origins']): string {
  const { name, key } = azuriteAccount;
  return [
    'DefaultEndpointsProtocol=http',
    `AccountName=${name}`,
    `AccountKey=${key}`,
    `BlobEndpoint=${origins.blob}/${name}`,
    `QueueEndpoint=${origins.queue}/${name}`,
    `TableEndpoint=${origins.table}/${name}`,
  ]
    .map((part) => `${part};`)
    .join('');
}
