import { describe, expect, it } from 'vitest';
import { ownAgentGuard } from './own-agents.ts';

const guard = ownAgentGuard(['weather_bot'], '/api/agents/{name}/chat');

describe('ownAgentGuard', () => {
  it.each([
    '/api/agents/weather_bot/chat',
    '/api/agents/Weather-Bot/chat',
    '/api/agents/%77eather_bot/chat',
    '/api//agents/weatherbot/chat/',
    '/api/agents/weather%20bot/chat',
  ])('knows %s as the agent', (path) => {
    expect(guard(path)).toBe('weather_bot');
  });

  it.each(['/api/agents/travel/chat', '/api/agents', '/api/agents/%zz/chat'])(
    'lets %s pass',
    (path) => {
      expect(guard(path)).toBeUndefined();
    },
  );

  it('has nothing to do without such agents', () => {
    expect(ownAgentGuard([], '/api/agents/{name}/chat')('/api/agents/a/chat')).toBeUndefined();
  });
});
