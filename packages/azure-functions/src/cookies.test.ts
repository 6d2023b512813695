import { describe, expect, it } from 'vitest';
import { toCookie } from './cookies.ts';

describe('toCookie', () => {
  it('reads what Set-Cookie says', () => {
    expect(
      toCookie(
        'id=a%20b; Domain=example.com; Path=/x; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Max-Age=60; Secure; HttpOnly; SameSite=Lax',
      ),
    ).toEqual({
      name: 'id',
      value: 'a b',
      domain: 'example.com',
      path: '/x',
      expires: new Date('2026-10-21T07:28:00Z'),
      maxAge: 60,
      secure: true,
      httpOnly: true,
      sameSite: 'Lax',
    });
  });

  it('keeps a value that is not percent-encoded, and equal signs in it', () => {
    expect(toCookie('a=50%; Unknown=1')).toEqual({ name: 'a', value: '50%' });
    expect(toCookie('a=b=c')).toEqual({ name: 'a', value: 'b=c' });
  });

  it('leaves out what has no name', () => {
    expect(toCookie('=x')).toBeUndefined();
    expect(toCookie('')).toBeUndefined();
  });
});
