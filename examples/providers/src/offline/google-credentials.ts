import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Writes application default credentials that ask a token server on this machine (workload identity federation,
 * https://google.aip.dev/auth/4117), and starts it; answers the file's path. Both end with the process.
 */
export async function offlineGoogleCredentials(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        access_token: 'offline',
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: 3600,
      }),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('connection', (socket) => socket.unref());
  server.unref();
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;

  const folder = mkdtempSync(join(tmpdir(), 'offline-google-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const subject = join(folder, 'subject-token');
  writeFileSync(subject, 'offline');
  const file = join(folder, 'credentials.json');
  writeFileSync(
    file,
    JSON.stringify({
      type: 'external_account',
      audience:
        '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/offline/providers/offline',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `http://127.0.0.1:${port}/v1/token`,
      credential_source: { file: subject },
    }),
  );
  return file;
}
