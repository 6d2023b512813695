import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import ts from 'typescript';

export interface Import {
  /** What the import says: `./agent.ts`, `openai`, `@agent-functions/core`. */
  readonly specifier: string;
  /** `type`: gone after compilation. `dynamic`: loaded when it runs. `static`: loaded with the module. */
  readonly kind: 'static' | 'dynamic' | 'type';
  /** 1-based. */
  readonly line: number;
}

/** Every import of a TypeScript text: `import`, `export … from`, `import()`, `import('x').T`, `require()`. */
export function importsOf(path: string, text: string): readonly Import[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, kind: Import['kind']): void => {
    if (specifier === undefined) return;
    const at = source.getLineAndCharacterOfPosition(specifier.getStart(source));
    // A specifier that is computed cannot be judged; it is reported as it is written.
    const text = ts.isStringLiteralLike(specifier) ? specifier.text : specifier.getText(source);
    found.push({ specifier: text, kind, line: at.line + 1 });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node))
      add(node.moduleSpecifier, importsTypesOnly(node.importClause) ? 'type' : 'static');
    else if (ts.isExportDeclaration(node))
      add(node.moduleSpecifier, exportsTypesOnly(node) ? 'type' : 'static');
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, 'type');
    else if (
      ts.isImportEqualsDeclaration(node) &&
      ts.isExternalModuleReference(node.moduleReference)
    )
      add(node.moduleReference.expression, node.isTypeOnly ? 'type' : 'static');
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], 'dynamic');
    else if (isRequire(node)) add(node.arguments[0], 'static');
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

// Of a text: a function of our own may have that name.
function isRequire(node: ts.Node): node is ts.CallExpression {
  if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return false;
  const [specifier] = node.arguments;
  return (
    node.expression.text === 'require' && specifier !== undefined && ts.isStringLiteral(specifier)
  );
}

// `import { type A } from 'x'` still loads x under verbatimModuleSyntax: only `import type` does not.
function importsTypesOnly(clause: ts.ImportClause | undefined): boolean {
  return clause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

function exportsTypesOnly(node: ts.ExportDeclaration): boolean {
  return node.isTypeOnly;
}

/** The imports of files, by file. Paths are relative to `base`, with `/`. */
export function importGraph(
  base: string,
  files: readonly string[],
): ReadonlyMap<string, readonly Import[]> {
  return new Map(
    files.map((file) => [file, importsOf(file, readFileSync(join(base, file), 'utf8'))]),
  );
}

/**
 * Every group of files that import each other, imports of types included, as one round trip through the group.
 * Only relative imports are followed; they name the file with its extension.
 */
export function cycles(
  graph: ReadonlyMap<string, readonly Pick<Import, 'specifier'>[]>,
): readonly (readonly string[])[] {
  const done = new Set<string>();
  const found: (readonly string[])[] = [];
  const path: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) return void found.push([...path.slice(start), file]);
    if (done.has(file)) return;
    path.push(file);
    for (const { specifier } of graph.get(file) ?? [])
      if (specifier.startsWith('.')) visit(join(dirname(file), specifier));
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return found;
}
