/**
 * The import rule (docs/architecture.md): who may import whom, what is loaded lazily, no cycles, no vendor
 * names in the core, the same files in every provider that is not another's name.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path/posix';
import { cycles, importGraph, type Import } from './lib/import-graph.ts';
import { onlyReExports } from './lib/re-exports.ts';
import { report, type Problem } from './lib/report.ts';
import { packages, root, sourceFiles, type Package } from './lib/workspace.ts';

const scope = '@agent-functions/';

/** Packages of this project that a package may import; every other one only `core`. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  'azure-functions': ['core', 'server'],
  cli: ['core', 'server', 'stores-sqlite'],
};

/** Third-party modules that are loaded with a folder of sources, with the reason. All others load on first use. */
const mayLoadAtOnce: Readonly<Record<string, readonly string[]>> = {
  // The app's own copy, which the host has loaded before any function is registered.
  'azure-functions/src/': ['@azure/functions'],
  // A sub-path of its own, imported by who serves on Node.
  'server/src/node/': ['srvx/node'],
  // Runs on a developer's machine only.
  'cli/': ['*'],
};

const vendors = /openai|anthropic|claude|gemini|google|ollama|azure/i;

const providerFiles = ['index.ts', 'model.ts', 'options.ts', 'errors.ts', 'api.ts'];
/** Beside the others, or once per wire in `src/<wire>/`. */
const converterFiles = ['to-request.ts', 'from-stream.ts'];

const aliasHint =
  ' A package that is another name for a provider has one source, an index of re-exports from it.';

export interface ImportCheck {
  readonly problems: readonly Problem[];
  readonly files: number;
  readonly imports: number;
}

export function checkImports(workspace: string): ImportCheck {
  const checked = packages(workspace).map((each) => checkPackage(each));
  return {
    problems: checked.flatMap((each) => each.problems),
    files: checked.reduce((sum, each) => sum + each.files, 0),
    imports: checked.reduce((sum, each) => sum + each.imports, 0),
  };
}

function checkPackage(each: Package): ImportCheck {
  const files = sourceFiles(each);
  const alias = aliasOf(each, files);
  const allowed = [
    ...(mayImport[each.folder] ?? ['core']),
    ...(alias === undefined ? [] : [alias]),
  ];
  const graph = importGraph(each.dir, files);
  const where = (file: string, line?: number): string =>
    `packages/${each.folder}/${file}${line === undefined ? '' : `:${line}`}`;

  const broken = [...graph].flatMap(([file, imports]) =>
    imports.flatMap((one) =>
      ruleOf(each, file, one, allowed).map((message) => ({
        where: where(file, one.line),
        message,
      })),
    ),
  );
  const circular = cycles(graph).map((files) => ({
    where: where(files[0] ?? ''),
    message: `imports itself: ${files.join(' -> ')}. Move what they share into a file of its own; an import of a type counts.`,
  }));
  const manifest = checkManifest(each, allowed).map((message) => ({
    where: where('package.json'),
    message,
  }));
  const vendorNames = each.folder === 'core' ? checkVendorNames(each, files, where) : [];
  const shape = isProvider(each.folder) && alias === undefined ? checkProviderFiles(each) : [];
  return {
    problems: [
      ...broken,
      ...circular,
      ...manifest,
      ...vendorNames,
      ...shape.map((message) => ({ where: where('src'), message })),
    ],
    files: files.length,
    imports: [...graph.values()].reduce((sum, imports) => sum + imports.length, 0),
  };
}

/**
 * The provider package that this one is another name for: all its source is an index of re-exports from that one, so
 * that there is nothing else that could import, load or keep anything.
 */
function aliasOf(each: Package, files: readonly string[]): string | undefined {
  const [index, ...more] = files;
  if (!isProvider(each.folder) || index !== 'src/index.ts' || more.length > 0) return undefined;
  const module = onlyReExports(index, readFileSync(join(each.dir, index), 'utf8'));
  const folder = module?.startsWith(scope) === true ? module.slice(scope.length) : '';
  return isProvider(folder) && folder !== each.folder ? folder : undefined;
}

function isProvider(folder: string): boolean {
  return /^providers-[^/]+$/.test(folder);
}

function ruleOf(
  each: Package,
  file: string,
  { specifier, kind }: Import,
  allowed: readonly string[],
): readonly string[] {
  if (specifier.startsWith('.')) {
    const target = join(file, '..', specifier);
    if (target.startsWith('..'))
      return [`imports ${specifier}, a file of another package. Import the package by its name.`];
    if (each.folder === 'core' && !isCoreTesting(file) && isCoreTesting(target))
      return [`imports ${specifier}: core/testing stands on core, not the other way round.`];
    if (each.folder === 'core' && isCoreProvider(target) && isCoreEntry(file))
      return [
        `imports ${specifier}: core/provider is for who writes a provider; an app does not carry it with core.`,
      ];
    return [];
  }
  if (each.folder === 'core') return [`imports ${specifier}: core imports nothing.`];
  if (specifier.startsWith(scope)) {
    const folder = specifier.slice(scope.length).split('/')[0] ?? '';
    if (folder === each.folder || allowed.includes(folder)) return [];
    const hint = isProvider(each.folder) && isProvider(folder) ? aliasHint : '';
    return [`imports ${specifier}: ${each.folder} may import only ${allowed.join(', ')}.${hint}`];
  }
  if (specifier.startsWith('node:')) return [];
  if (kind !== 'static' || loadsAtOnce(`${each.folder}/${file}`, specifier)) return [];
  return [
    `loads ${specifier} with the package, so that every cold start pays for it. Use \`import type\`, and \`await import()\` on first use.`,
  ];
}

function loadsAtOnce(file: string, specifier: string): boolean {
  return Object.entries(mayLoadAtOnce).some(
    ([folder, modules]) =>
      file.startsWith(folder) && (modules.includes(specifier) || modules.includes('*')),
  );
}

function isCoreProvider(file: string): boolean {
  return file.startsWith('src/provider/');
}

/** Files of the package's own entry point: those of no sub-path. */
function isCoreEntry(file: string): boolean {
  return file.startsWith('src/') && !isCoreTesting(file) && !isCoreProvider(file);
}

function isCoreTesting(file: string): boolean {
  return file.startsWith('src/testing/');
}

function checkManifest(
  { folder, manifest }: Package,
  allowed: readonly string[],
): readonly string[] {
  if (folder === 'core')
    return ['dependencies', 'peerDependencies', 'optionalDependencies'].flatMap((kind) => {
      const names = Object.keys(Reflect.get(manifest, kind) ?? {});
      return names.length === 0 ? [] : [`core has ${kind}: ${names.join(', ')}. It has none.`];
    });
  const problems: string[] = [];
  if (manifest.peerDependencies?.[`${scope}core`] === undefined)
    problems.push(`${scope}core is not a peerDependency, so that an app could get two copies.`);
  if (manifest.dependencies?.[`${scope}core`] !== undefined)
    problems.push(`${scope}core is a dependency; it is a peerDependency everywhere.`);
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
    if (name.startsWith(scope) && !allowed.includes(name.slice(scope.length)))
      problems.push(`depends on ${name}: ${folder} may depend only on ${allowed.join(', ')}.`);
  return problems;
}

function checkVendorNames(
  each: Package,
  files: readonly string[],
  where: (file: string, line: number) => string,
): readonly Problem[] {
  return files.flatMap((file) =>
    readFileSync(join(each.dir, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => {
        const name = vendors.exec(line)?.[0];
        return name === undefined
          ? []
          : [
              {
                where: where(file, index + 1),
                message: `names a vendor (${name}): core knows none.`,
              },
            ];
      }),
  );
}

function checkProviderFiles(each: Package): readonly string[] {
  const src = join(each.dir, 'src');
  const entries = readdirSync(src, { withFileTypes: true });
  const names = entries.map((entry) => entry.name);
  const isEmpty = readFileSync(join(src, 'index.ts'), 'utf8').trim() === 'export {};';
  if (isEmpty) return [];
  const wires = entries
    .filter((entry) => entry.isDirectory())
    .filter((entry) => converterFiles.some((file) => existsSync(join(src, entry.name, file))))
    .map((entry) => entry.name);
  const places = wires.length === 0 ? [''] : wires;
  return [
    ...providerFiles.filter((file) => !names.includes(file)),
    ...places.flatMap((wire) =>
      converterFiles
        .filter((file) => !existsSync(join(src, wire, file)))
        .map((file) => join(wire, file)),
    ),
  ].map(
    (file) =>
      `has no ${file}. Every provider has ${[...providerFiles, ...converterFiles].join(', ')}; the last two may stand in src/<wire>/.`,
  );
}

if (import.meta.main) {
  const { problems, files, imports } = checkImports(root);
  report('imports', problems, `${imports} imports of ${files} files follow the rule`);
}
