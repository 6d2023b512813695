import ts from 'typescript';

/** The one module that a TypeScript text re-exports, where it does nothing else: no code, no name of its own. */
export function onlyReExports(path: string, text: string): string | undefined {
  const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const modules = new Set(statements.map(reExported));
  const [module] = modules;
  return modules.size === 1 ? module : undefined;
}

function reExported(statement: ts.Statement): string | undefined {
  if (!ts.isExportDeclaration(statement)) return undefined;
  const { moduleSpecifier } = statement;
  return moduleSpecifier !== undefined && ts.isStringLiteral(moduleSpecifier)
    ? moduleSpecifier.text
    : undefined;
}
