import { expect, it } from 'vitest';
import { rejection } from '../testing/assert.ts';
import { keptToken, type Token } from './kept-token.ts';
import { once } from './once.ts';

const refused = (what: string): Error => new Error(`the credential ${what}`);

function credential(...answers: readonly (Token | null | Error)[]) {
  const left = [...answers];
  const made = {
    asked: 0,
    token: keptToken(async () => {
      made.asked += 1;
      const answer = left.shift() ?? null;
      if (answer instanceof Error) throw answer;
      return answer;
    }, refused),
  };
  return made;
}

const later = (token: string): Token => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 });

it('asks once for all who need it, and keeps it', async () => {
  const made = credential(later('a'));
  const [one, two] = await Promise.all([made.token.get(), made.token.get()]);
  expect([one, two]).toEqual([
    { token: 'a', fresh: true },
    { token: 'a', fresh: true },
  ]);
  expect(await made.token.get()).toEqual({ token: 'a', fresh: false });
  expect(made.asked).toBe(1);
});

it('renews it shortly before it expires, and where the credential keeps its own', async () => {
  const made = credential(
    { token: 'a', expiresOnTimestamp: Date.now() + 60_000 },
    { token: 'b', expiresOnTimestamp: 0 },
    later('c'),
  );
  for (const token of ['a', 'b', 'c'])
    expect(await made.token.get()).toEqual({ token, fresh: true });
});

it('forgets the one that was refused, and no newer one', async () => {
  const made = credential(later('a'), later('b'));
  await made.token.get();
  made.token.drop('a');
  expect(await made.token.get()).toEqual({ token: 'b', fresh: true });
  made.token.drop('a');
  expect(await made.token.get()).toEqual({ token: 'b', fresh: false });
});

it('says that there was none, without what the credential said, and asks again', async () => {
  const made = credential(new TypeError('secret'), null, { token: '', expiresOnTimestamp: 1 });
  const said = [];
  for (let call = 0; call < 3; call++) said.push(String(await rejection(made.token.get())));
  expect(said).toEqual([
    'Error: the credential failed (TypeError)',
    'Error: the credential gave none',
    'Error: the credential gave none',
  ]);
});

it('once() makes a thing for all who ask, and again after a failure', async () => {
  let made = 0;
  const get = once(async () => {
    if (++made === 1) throw new Error('not yet');
    return made;
  });
  const [one, two] = [rejection(get()), rejection(get())];
  expect(await one).toBe(await two);
  expect(await Promise.all([get(), get(), get()])).toEqual([2, 2, 2]);
});
