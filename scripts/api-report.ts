/**
 * The committed API report of every package, `packages/<name>/api-report.md`: each public name with its
 * declaration, from the built declarations. `--write` updates the reports, `--check` fails on a stale one.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { report, type Problem } from './lib/report.ts';
import { entryPoints, publicPackages, root, type Package } from './lib/workspace.ts';

const fileName = 'api-report.md';

/** The report of a package, from its built declarations. Throws when it has not been built. */
export function apiReport(each: Package): string {
  const entries = entryPoints(each).map(
    ({ subpath, types }) =>
      `## \`${join(each.manifest.name, subpath)}\`\n\n\`\`\`ts\n${declarations(each, types)}\n\`\`\`\n`,
  );
  return [
    `# API of ${each.manifest.name}\n`,
    'Written by `pnpm run api:write` from the built declarations. A new name here says, in the pull request, which existing one it replaces.\n',
    ...entries,
  ].join('\n');
}

/** What one entry point exports, sorted by name. */
function declarations(each: Package, entry: string): string {
  if (!existsSync(entry))
    throw new Error(`${relative(root, entry)} is missing. Build first: pnpm run build.`);
  const folder = mkdtempSync(join(tmpdir(), 'api-report-'));
  try {
    const config = ExtractorConfig.prepare({
      configObjectFullPath: undefined,
      packageJsonFullPath: join(each.dir, 'package.json'),
      configObject: {
        projectFolder: each.dir,
        mainEntryPointFilePath: entry,
        compiler: {
          overrideTsconfig: {
            compilerOptions: {
              target: 'es2023',
              lib: ['es2023'],
              module: 'nodenext',
              // Where the web globals and Node's own modules are declared.
              typeRoots: [join(root, 'node_modules/@types')],
              types: ['node'],
              strict: true,
              skipLibCheck: true,
            },
            files: [entry],
          },
        },
        apiReport: {
          enabled: true,
          reportFolder: folder,
          reportTempFolder: folder,
          reportFileName: 'report',
          includeForgottenExports: true,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        newlineKind: 'lf',
        messages: {
          compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
          extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
          tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        },
      },
    });
    const problems: string[] = [];
    const result = Extractor.invoke(config, {
      localBuild: true,
      messageCallback: (message) => {
        if (message.logLevel === ExtractorLogLevel.Error) problems.push(message.text);
        message.handled = true;
      },
    });
    if (result.errorCount > 0 || problems.length > 0)
      throw new Error(`${each.manifest.name}: ${problems.join('\n')}`);
    const text = readFileSync(join(folder, 'report.api.md'), 'utf8');
    return onlyDeclarations(text);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function onlyDeclarations(text: string): string {
  const code = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  return code
    .replaceAll(/^\/\/ @\w+.*\n/gm, '')
    .replaceAll(/ *\/\/ \(undocumented\)\n?/g, '')
    .replaceAll(/^\/\/ \(No @packageDocumentation.*\n/gm, '')
    .trim();
}

/** The first lines in which two texts differ, `-` as committed, `+` as it is now. */
export function difference(committed: string, now: string): string {
  const before = new Set(committed.split('\n'));
  const after = new Set(now.split('\n'));
  const removed = [...before].filter((line) => !after.has(line)).map((line) => `- ${line}`);
  const added = [...after].filter((line) => !before.has(line)).map((line) => `+ ${line}`);
  const lines = [...removed, ...added];
  const more = lines.length > 20 ? [`… and ${lines.length - 20} more lines`] : [];
  return [...lines.slice(0, 20), ...more].join('\n');
}

export function staleReport(each: Package): Problem | undefined {
  const where = relative(root, join(each.dir, fileName));
  const now = apiReport(each);
  if (!existsSync(join(each.dir, fileName)))
    return { where, message: 'is missing. Write it with: pnpm run api:write' };
  const committed = readFileSync(join(each.dir, fileName), 'utf8');
  if (committed === now) return undefined;
  return {
    where,
    message: `is stale. If the change is meant, run: pnpm run api:write\n${difference(committed, now)}`,
  };
}

if (import.meta.main) {
  const all = publicPackages();
  if (process.argv.includes('--write')) {
    for (const each of all) writeFileSync(join(each.dir, fileName), apiReport(each));
    console.log(`API reports: wrote ${all.length}`);
  } else {
    const problems = all.map(staleReport).filter((each) => each !== undefined);
    report('API reports', problems, `${all.length} are up to date`);
  }
}
