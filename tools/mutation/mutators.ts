// Small changes to code that a test should notice. The set is Stryker's default without the ones for texts and empty
// blocks: operators, conditions, booleans, `Math.min`, `some`, and statements that are left out.
import { codeText, type Token, tokenize } from '../gates/tokens.ts';

/** What replaces the text between two places of a module whose types are stripped. */
export type Mutation = {
  readonly mutator: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  readonly line: number;
};

type Operator = { readonly text: string; readonly start: number; readonly end: number; readonly at: number };

const spellings =
  '>>>= === !== **= <<= >>= >>> &&= ||= ??= == != <= >= && || ?? ++ -- += -= *= /= %= ** << >> => ?. + - * / % < > ! = & | ^ ~ ?'
    .split(' ')
    .sort((a, b) => b.length - a.length);

const binary: Readonly<Record<string, readonly string[]>> = {
  '===': ['!=='],
  '!==': ['==='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '&&': ['||'],
  '||': ['&&'],
  '??': ['&&'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '**': ['*'],
  '<<': ['>>'],
  '>>': ['<<'],
  '>>>': ['<<'],
  '&': ['|'],
  '|': ['&'],
  '^': ['&'],
};
const assigning: Readonly<Record<string, string>> = { '+=': '-=', '-=': '+=', '*=': '/=', '/=': '*=' };
const stepping: Readonly<Record<string, string>> = { '++': '--', '--': '++' };
const words: Readonly<Record<string, string>> = { true: 'false', false: 'true' };
const members: Readonly<Record<string, string>> = {
  min: 'max',
  max: 'min',
  floor: 'ceil',
  ceil: 'floor',
  some: 'every',
  every: 'some',
};
const noStatement = new Set(
  'from const let var return if else for while do switch case default break continue import export function class async try catch finally'.split(
    ' ',
  ),
);
const beforeOperand = new Set('return typeof case in of void throw await yield instanceof else do'.split(' '));

/** Every mutation of a module, in the order of its text. */
export function mutationsOf(source: string): readonly Mutation[] {
  const code = tokenize(source).filter(({ kind }) => kind !== 'comment');
  return [...ofOperators(code), ...ofWords(code), ...ofConditions(code), ...ofStatements(code)].sort(
    (a, b) => a.start - b.start || a.end - b.end || (a.replacement < b.replacement ? -1 : 1),
  );
}

/** Operators as they are written: the lexer gives their characters one by one. */
function operatorsOf(code: readonly Token[]): readonly Operator[] {
  const operators: Operator[] = [];
  for (let i = 0; i < code.length; ) {
    let run = '';
    for (let j = i; code[j]?.kind === 'punctuation' && (j === i || code[j]!.start === code[j - 1]!.end); j++)
      run += code[j]!.text;
    const text = spellings.find((spelling) => run.startsWith(spelling));
    if (text === undefined) i += 1;
    else {
      operators.push({ text, start: code[i]!.start, end: code[i]!.start + text.length, at: i });
      // A token may be longer than one character: `=>`, `?.`.
      for (let length = 0; length < text.length; i++) length += code[i]!.text.length;
    }
  }
  return operators;
}

function ofOperators(code: readonly Token[]): readonly Mutation[] {
  return operatorsOf(code).flatMap(({ text, start, end, at }) => {
    const before = code[at - 1];
    const after = code.find((token, i) => i > at && token.start >= end);
    const { line } = code[at]!;
    const change = (mutator: string, replacement: string): Mutation => ({ mutator, start, end, replacement, line });
    if (stepping[text] !== undefined) return [change('update', stepping[text])];
    if (assigning[text] !== undefined) return isText(after) ? [] : [change('assignment', assigning[text])];
    if (!endsOperand(before)) return text === '!' || text === '-' ? [change('unary', '')] : [];
    if (text === '+' && (isText(before) || isText(after))) return [];
    return (binary[text] ?? []).map((replacement) => change('operator', replacement));
  });
}

function isText(token: Token | undefined): boolean {
  return token?.kind === 'string' || token?.kind === 'template';
}

/** Whether a token can be the end of a value, so that what follows is between two values. */
function endsOperand(token: Token | undefined): boolean {
  if (token === undefined) return false;
  if (token.kind === 'punctuation') return [')', ']', '}'].includes(token.text);
  return token.kind !== 'word' || !beforeOperand.has(token.text);
}

function ofWords(code: readonly Token[]): readonly Mutation[] {
  return code.flatMap((token, i) => {
    if (token.kind !== 'word') return [];
    const isMember = codeText(code[i - 1]) === '.';
    const isKey = codeText(code[i + 1]) === ':' && ['{', ','].includes(codeText(code[i - 1]) ?? '');
    const isCall = codeText(code[i + 1]) === '(';
    const table = isMember && isCall ? members : isMember || isKey ? {} : words;
    const replacement = Object.hasOwn(table, token.text) ? table[token.text] : undefined;
    const { start, end, line } = token;
    return replacement === undefined
      ? []
      : [{ mutator: isMember ? 'method' : 'boolean', start, end, replacement, line }];
  });
}

function ofConditions(code: readonly Token[]): readonly Mutation[] {
  return code.flatMap((token, i) => {
    if (codeText(token) !== 'if' || codeText(code[i + 1]) !== '(' || codeText(code[i - 1]) === '.') return [];
    const close = matching(code, i + 1);
    if (close === undefined) return [];
    const place = { start: code[i + 1]!.end, end: code[close]!.start, line: token.line };
    return ['true', 'false'].map((replacement) => ({ mutator: 'condition', ...place, replacement }));
  });
}

/** Calls, assignments and throws that stand alone are left out. */
function ofStatements(code: readonly Token[]): readonly Mutation[] {
  return code.flatMap((token, i) => {
    const follows = codeText(code[i - 1]);
    if (token.kind !== 'word' || noStatement.has(token.text) || ![';', '{', '}', ')'].includes(follows ?? ''))
      return [];
    if (follows === ')' && token.text !== 'throw') return [];
    const last = endOfStatement(code, i);
    if (last === undefined || last - i < 2) return [];
    return [{ mutator: 'statement', start: token.start, end: code[last]!.start, replacement: '', line: token.line }];
  });
}

/** The semicolon that ends a statement, or undefined where what begins here is none. */
function endOfStatement(code: readonly Token[], start: number): number | undefined {
  let depth = 0;
  for (let i = start; i < code.length; i++) {
    const text = codeText(code[i]);
    if (text === '(' || text === '[' || text === '{') depth += 1;
    if (text === ')' || text === ']' || text === '}') depth -= 1;
    if (depth < 0 || (depth === 0 && (text === ',' || text === ':'))) return undefined;
    if (depth === 0 && text === ';') return i;
  }
  return undefined;
}

function matching(code: readonly Token[], open: number): number | undefined {
  let depth = 0;
  for (let i = open; i < code.length; i++) {
    if (codeText(code[i]) === '(') depth += 1;
    if (codeText(code[i]) === ')') depth -= 1;
    if (depth === 0) return i;
  }
  return undefined;
}
