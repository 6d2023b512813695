import { expect, test } from 'vitest';
import { contentProblems, manifestProblems } from './check-tarballs.ts';

const complete = ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts'].map(
  (name) => `package/${name}`,
);

test('a tarball holds what is built, a README and the licence, and neither sources nor tests', () => {
  expect(contentProblems(complete)).toEqual([]);
  expect(contentProblems(complete.slice(1))).toEqual(['has no package.json']);
  expect(contentProblems([...complete, 'package/src/a.ts', 'package/dist/a.test.js'])).toEqual([
    'holds package/src/a.ts',
    'holds package/dist/a.test.js',
  ]);
});

test('the manifest in a tarball names nothing that only the workspace has', () => {
  expect(manifestProblems('{"dependencies": {"@agent-functions/core": "^0.1.0"}}')).toEqual([]);
  expect(
    manifestProblems(
      '{"dependencies": {"a": "workspace:^"}, "exports": {"@agent-functions/source": "./src/index.ts"}}',
    ),
  ).toHaveLength(3);
});
