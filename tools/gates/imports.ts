import { codeText, type Token } from './tokens.ts';

/**
 * How a module names another: `computed` is a dynamic import whose target is not a literal, `path` is a string that
 * looks like the path of a module (a worker's URL, a program to spawn).
 */
export type Reference = {
  readonly kind: 'static' | 'type' | 'dynamic' | 'computed' | 'path';
  readonly target: string;
  readonly line: number;
  /** What a static import takes by name. */
  readonly names: readonly string[];
};

/** Every reference from a module to another one, in the order of the text. */
export function referencesOf(tokens: readonly Token[]): readonly Reference[] {
  const code = tokens.filter(({ kind }) => kind !== 'comment');
  const references: Reference[] = [];
  for (let i = 0; i < code.length; i++) {
    const { kind, text, line } = code[i]!;
    const isMember = codeText(code[i - 1]) === '.' || codeText(code[i - 1]) === '?.';
    if (kind === 'string' && /^[^\s:]+\.[tj]s$/.test(text))
      references.push({ kind: 'path', target: text, line, names: [] });
    if (kind !== 'word' || isMember) continue;
    if ((text === 'import' || text === 'require') && codeText(code[i + 1]) === '(') {
      const argument = code[i + 2];
      const isLiteral = isText(argument) && (codeText(code[i + 3]) === ')' || codeText(code[i + 3]) === ',');
      references.push({
        kind: isLiteral ? 'dynamic' : 'computed',
        target: isLiteral ? argument.text : '',
        line,
        names: [],
      });
      if (isLiteral) i += 2;
    } else if (text === 'import' || text === 'export') {
      const end = endOfClause(code, i, text);
      if (end === undefined) continue;
      const names = code.slice(i + 1, end).filter((token) => token.kind === 'word');
      // `import { type A, b }` loads the module, `import type { A, B }` does not; a default may be named `type`.
      const isType = codeText(code[i + 1]) === 'type' && !['from', ','].includes(codeText(code[i + 2]) ?? '');
      const kindOfImport = isType ? 'type' : 'static';
      references.push({ kind: kindOfImport, target: code[end]!.text, line, names: names.map((token) => token.text) });
      i = end;
    }
  }
  return references;
}

function isText(token: Token | undefined): token is Token {
  return token?.kind === 'string' || token?.kind === 'template';
}

/** Where the string of `import … 'x'` or `export … from 'x'` is, or undefined where this is no import. */
function endOfClause(code: readonly Token[], start: number, word: 'import' | 'export'): number | undefined {
  let i = start + 1;
  if (word === 'import' && code[i]?.kind === 'string') return i;
  if (codeText(code[i]) === 'type') i++;
  if (word === 'export' && codeText(code[i]) !== '{' && codeText(code[i]) !== '*') return undefined;
  for (; i < code.length; i++) {
    const { kind, text } = code[i]!;
    if (text === 'from' && kind === 'word' && code[i + 1]?.kind === 'string') return i + 1;
    if (kind !== 'word' && kind !== 'string' && !['{', '}', ',', '*'].includes(text)) return undefined;
    if (text === '}' && codeText(code[i + 1]) !== 'from' && codeText(code[i + 1]) !== ',') return undefined;
  }
  return undefined;
}
