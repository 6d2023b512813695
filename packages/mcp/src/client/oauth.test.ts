import type { ServerResponse } from 'node:http';
import { ClientCredentialsProvider } from '@modelcontextprotocol/client';
import { expect, test } from 'vitest';
import { HttpPeer } from '../../test/client/http-peer.ts';
import { callOne } from '../../test/client/runs.ts';
import { mcpTools } from './mcp-server.ts';

function answer(response: ServerResponse, body: object, status = 200, headers = {}): true {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
  return true;
}

test('a provider of the SDK logs in where the server says', async () => {
  const peer = await HttpPeer.start();
  const { origin } = new URL(peer.url);
  const asked: string[] = [];
  peer.intercept = (request, response) => {
    const path = new URL(request.url ?? '', origin).pathname;
    if (path.startsWith('/.well-known/oauth-protected-resource')) {
      return answer(response, { resource: peer.url, authorization_servers: [origin] });
    }
    if (path.startsWith('/.well-known/oauth-authorization-server')) {
      return answer(response, {
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        response_types_supported: ['code'],
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
      });
    }
    if (path === '/token') {
      asked.push(request.headers.authorization ?? '');
      return answer(response, { access_token: 'oauth-token', token_type: 'Bearer' });
    }
    if (request.headers.authorization === 'Bearer oauth-token') return false;
    const challenge = `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`;
    return answer(response, {}, 401, { 'www-authenticate': challenge });
  };
  const auth = new ClientCredentialsProvider({ clientId: 'agent', clientSecret: 'hidden' });
  const source = mcpTools({ name: 'peer', url: peer.url, auth });
  expect(await callOne(source, 'work', {})).toBeNull();
  expect(asked).toEqual([`Basic ${Buffer.from('agent:hidden').toString('base64')}`]);
  await source.close();
  await peer.close();
});
