export interface CodeBlock {
  /** First word after the fence, in lower case: `ts`, `sh`, `json`. */
  readonly language: string;
  /** The other words after the fence: `no-run`, `output`. */
  readonly marks: readonly string[];
  readonly code: string;
  /** 1-based line of the opening fence; the code starts on the next one. */
  readonly line: number;
}

/** The fenced code blocks of a Markdown text, in order. Fences inside lists may be indented. */
export function codeBlocks(markdown: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open:
    | { fence: string; indent: number; info: string[]; line: number; code: string[] }
    | undefined;
  for (const [index, text] of markdown.split(/\r?\n/).entries()) {
    const fence = /^(\s*)(`{3,}|~{3,})(.*)$/.exec(text);
    if (open === undefined) {
      if (fence === null) continue;
      const [, indent = '', marker = '', info = ''] = fence;
      open = {
        fence: marker,
        indent: indent.length,
        info: info.trim().split(/\s+/),
        line: index + 1,
        code: [],
      };
      continue;
    }
    if (fence?.[2]?.startsWith(open.fence) === true && fence[3]?.trim() === '') {
      const [language = '', ...marks] = open.info;
      blocks.push({
        language: language.toLowerCase(),
        marks,
        code: open.code.join('\n'),
        line: open.line,
      });
      open = undefined;
      continue;
    }
    open.code.push(text.slice(Math.min(open.indent, text.length - text.trimStart().length)));
  }
  return blocks;
}

export interface TableRow {
  readonly cells: readonly string[];
  /** 1-based. */
  readonly line: number;
}

/** The rows of all tables of a Markdown text, without their header rows. */
export function tableRows(markdown: string): readonly TableRow[] {
  const lines = markdown.split(/\r?\n/);
  return lines.flatMap((text, index) => {
    const isRow = text.trimStart().startsWith('|');
    const isSeparator = separator.test(text);
    const isHeader = separator.test(lines[index + 1] ?? '');
    if (!isRow || isSeparator || isHeader) return [];
    return [{ cells: cellsOf(text), line: index + 1 }];
  });
}

const separator = /^\s*\|(\s*:?-+:?\s*\|)+\s*$/;

function cellsOf(row: string): readonly string[] {
  return row
    .trim()
    .replaceAll(/^\||(?<!\\)\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.replaceAll('\\|', '|').trim());
}
