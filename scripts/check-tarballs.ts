/**
 * What users install works: packs every public package, installs the tarballs with npm into an empty folder
 * outside the workspace, type-checks a quick start with TypeScript 5.9 and 7 and runs it on plain Nodes.
 * The packages have to be built.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeOpenAI } from './lib/fake-openai.ts';
import { environmentOf, plainNode, type PlainNode } from './lib/plain-node.ts';
import { mustRun, run, tail } from './lib/processes.ts';
import { report, type Problem } from './lib/report.ts';
import { entryPoints, publicPackages, root, type Package } from './lib/workspace.ts';

/** The oldest Node the packages support, a later one of the same line, and the line after it. */
const nodeVersions = ['22.13.1', '22.22.3', '24.21.0'];
const typeScripts = { '5.9': 'typescript@5.9', '7': 'typescript7@npm:typescript@7' };

async function pack(each: Package, into: string): Promise<string> {
  const { stdout } = await mustRun('pnpm', ['pack', '--json', '--pack-destination', into], {
    cwd: each.dir,
  });
  const { filename }: { filename: string } = JSON.parse(stdout.slice(stdout.indexOf('{')));
  return filename.startsWith('/') ? filename : join(into, filename);
}

/** What a tarball lacks or should not hold. */
export function contentProblems(files: readonly string[]): readonly string[] {
  const has = (name: string): boolean => files.includes(`package/${name}`);
  return [
    ...['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']
      .filter((name) => !has(name))
      .map((name) => `has no ${name}`),
    ...files
      .filter((file) =>
        /\.(test|bench)\.|(^|\/)(src|test|node_modules|coverage)\/|\.env|tsconfig/.test(file),
      )
      .map((file) => `holds ${file}`),
  ];
}

/** What of the manifest in a tarball works only inside the workspace. */
export function manifestProblems(text: string): readonly string[] {
  return [...text.matchAll(/"(workspace:[^"]*|@agent-functions\/source|\.\/src\/[^"]*)"/g)].map(
    ([, what]) => `package.json says ${what}, which exists only in the workspace`,
  );
}

async function checkTarball(
  each: Package,
  tarball: string,
  where: string,
): Promise<readonly Problem[]> {
  const listed = await mustRun('tar', ['-tzf', tarball], { cwd: where });
  const manifest = await mustRun('tar', ['-xzOf', tarball, 'package/package.json'], { cwd: where });
  const messages = [
    ...contentProblems(listed.stdout.trim().split('\n')),
    ...manifestProblems(manifest.stdout),
  ];
  return messages.map((message) => ({ where: `${each.manifest.name} (tarball)`, message }));
}

async function typeCheck(folder: string): Promise<readonly Problem[]> {
  const compilers = { '5.9': ['typescript'], '7': ['typescript7', '--noEmit'] };
  const results = await Promise.all(
    Object.entries(compilers).map(async ([version, [name = '', ...options]]) => {
      const tsc = join('node_modules', name, 'bin', 'tsc');
      const { code, output } = await run('node', [tsc, '-p', '.', ...options], { cwd: folder });
      return code === 0
        ? []
        : [{ where: `quick-start.ts (TypeScript ${version})`, message: tail(output, 30) }];
    }),
  );
  return results.flat();
}

async function runOn(
  node: PlainNode,
  folder: string,
  baseUrl: string,
): Promise<readonly Problem[]> {
  const where = `quick start on Node ${node.version}`;
  const env = environmentOf(node, { OPENAI_BASE_URL: baseUrl });
  const imports = publicPackages()
    .flatMap((each) =>
      entryPoints(each).map(({ subpath }) => each.manifest.name + subpath.slice(1)),
    )
    .map((name) => `await import('${name}');`);
  const loaded = await run('node', ['--input-type=module', '-e', imports.join('\n')], {
    cwd: folder,
    env,
    timeoutMs: 60_000,
  });
  if (loaded.code !== 0)
    return [{ where, message: `importing failed:\n${tail(loaded.output, 20)}` }];
  const ran = await run('node', ['out/quick-start.js'], { cwd: folder, env, timeoutMs: 60_000 });
  if (ran.code !== 0) return [{ where, message: tail(ran.output, 20) }];
  return ran.stdout.includes('"temperature":21') && ran.stdout.includes('in Seattle')
    ? []
    : [{ where, message: `the answer holds no result of the tool:\n${tail(ran.output, 20)}` }];
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'agent-functions-tarballs-'));
  try {
    const all = publicPackages();
    const unbuilt = all.filter((each) => entryPoints(each).some(({ file }) => !existsSync(file)));
    if (unbuilt.length > 0)
      throw new Error(
        `Not built: ${unbuilt.map((each) => each.folder).join(', ')}. Run: pnpm run build`,
      );
    const tarballs = await Promise.all(all.map((each) => pack(each, folder)));
    const contents = await Promise.all(
      all.map((each, index) => checkTarball(each, tarballs[index] ?? '', folder)),
    );

    const app = join(folder, 'app');
    cpSync(join(root, 'scripts/fixtures'), app, { recursive: true });
    writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }\n');
    const nodes = await Promise.all(nodeVersions.map(plainNode));
    const [oldest] = nodes;
    if (oldest === undefined) throw new Error('No Node to install with.');
    const others = [
      'zod@4',
      '@azure/functions@4',
      `@types/node@${nodeTypes()}`,
      ...Object.values(typeScripts),
    ];
    await mustRun('npm', ['install', '--no-audit', '--no-fund', ...tarballs, ...others], {
      cwd: app,
      env: environmentOf(oldest),
      timeoutMs: 180_000,
    });

    const types = await typeCheck(app);
    await using model = await fakeOpenAI();
    const runs = [];
    if (types.length === 0)
      for (const node of nodes) runs.push(await runOn(node, app, model.baseUrl));
    report(
      'tarballs',
      [...contents.flat(), ...types, ...runs.flat()],
      `${all.length} packages install, type-check with TypeScript ${Object.keys(typeScripts).join(' and ')} and answer on Node ${nodeVersions.join(', ')}`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function nodeTypes(): string {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return devDependencies['@types/node'];
}

if (import.meta.main) await main();
