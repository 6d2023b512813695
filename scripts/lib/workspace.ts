import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** The root of this repository. */
export const root = resolve(import.meta.dirname, '../..');

/** The environment in which the tools of this repository are found, whatever started the script. */
export const toolEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
};

export interface Package {
  /** The folder's name under `packages/`: `core`, `server`, `providers-openai`. */
  readonly folder: string;
  /** Absolute path of the folder. */
  readonly dir: string;
  readonly manifest: Manifest;
}

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** Every package under `<workspace>/packages`, by name. */
export function packages(workspace = root): readonly Package[] {
  const base = join(workspace, 'packages');
  return readdirSync(base)
    .toSorted()
    .filter((folder) => existsSync(join(base, folder, 'package.json')))
    .map((folder) => ({
      folder,
      dir: join(base, folder),
      manifest: readManifest(join(base, folder)),
    }));
}

/** Package folders that users install: everything that is not private. */
export function publicPackages(workspace = root): readonly Package[] {
  return packages(workspace).filter((each) => each.manifest.private !== true);
}

export function readManifest(dir: string): Manifest {
  const parsed: Manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
  return parsed;
}

/** Entry points of a package, `.` first: their sub-path and what is built for them, as in `exports`. */
export function entryPoints(
  each: Package,
): readonly { readonly subpath: string; readonly types: string; readonly file: string }[] {
  return Object.entries(each.manifest.exports ?? {}).flatMap(([subpath, target]) =>
    typeof target === 'string' || target['types'] === undefined || target['default'] === undefined
      ? []
      : [
          {
            subpath,
            types: join(each.dir, target['types']),
            file: join(each.dir, target['default']),
          },
        ],
  );
}

/** Source files of a package, relative to it: no tests, no fixtures. */
export function sourceFiles(each: Package): readonly string[] {
  return globSync('src/**/*.ts', { cwd: each.dir })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !isTestFile(file))
    .toSorted();
}

/** Test files, their fixtures and doubles: exempt from the import rule. */
export function isTestFile(path: string): boolean {
  return (
    /\.(test|test-d|bench)\.ts$/.test(path) ||
    /(^|\/)(test|tests|fixtures|__fixtures__)\//.test(path)
  );
}
