import assert from 'node:assert/strict';
import { test } from 'node:test';
import { referencesOf } from '../../tools/gates/imports.ts';
import { tokenize } from '../../tools/gates/tokens.ts';

const kinds = (source: string) => tokenize(source).map(({ kind, text }) => `${kind}:${text}`);

test('tokenize() tells division from a regular expression', () => {
  assert.deepEqual(
    kinds('a / b / c').filter((token) => token.startsWith('regex')),
    [],
  );
  assert.ok(kinds('x = /["\'`]/g.test(y)').includes('regex:/["\'`]/g'));
  assert.ok(kinds('if (a) /"/.test(b)').includes('regex:/"/'));
  assert.deepEqual(
    kinds('f(a) / 2 / "x"').filter((token) => token.startsWith('regex')),
    [],
  );
  assert.ok(kinds('x = /[/]"/').includes('regex:/[/]"/'));
});

test('tokenize() reads nested templates and finds the code inside them', () => {
  const words = tokenize('`a ${b(`c ${d}`) + {e: 1}.e} import`; f')
    .filter(({ kind }) => kind === 'word')
    .map(({ text }) => text);
  assert.deepEqual(words, ['b', 'd', 'e', 'e', 'f']);
});

test('tokenize() gives each token the line where it starts', () => {
  const tokens = tokenize('a\n/* 2\n3 */ b\n`5\n6` c');
  assert.deepEqual(
    tokens.map(({ line }) => line),
    [1, 2, 3, 4, 5],
  );
});

test('tokenize() throws where a comment, a string or a template never ends', () => {
  for (const source of ['/* a', '"a\n"', '`a ${b', '`a']) assert.throws(() => tokenize(source), SyntaxError, source);
});

test('referencesOf() finds every form of import and none in strings or comments', () => {
  const source = `
    import a, { type B } from './1.ts'; import * as c from "./2.ts"; import './3.ts';
    import type { D } from './4.ts'; export * from './5.ts'; export { e as f } from './6.ts';
    export type { G } from './7.ts'; const h = await import('./8.ts'); import type from './9.ts';
    // import x from './no.ts'
    const text = "import x from './no.ts'"; export { text }; obj.import('./no'); import.meta.url;
    import { i } from '.'
    import { j } from './10.ts'; import { type K, l } from './11.ts'`;
  const found = referencesOf(tokenize(source)).filter(({ kind }) => kind !== 'path');
  assert.deepEqual(
    found.map(({ kind, target }) => `${kind} ${target}`),
    ['static ./1.ts', 'static ./2.ts', 'static ./3.ts', 'type ./4.ts', 'static ./5.ts', 'static ./6.ts'].concat([
      'type ./7.ts',
      'dynamic ./8.ts',
      'static ./9.ts',
      'static .',
      'static ./10.ts',
      'static ./11.ts',
    ]),
  );
});
