import assert from 'node:assert/strict';
import { test } from 'node:test';
import { borders, checkBorders } from '../../tools/gates/borders.ts';
import { readFiles, repositoryRoot, type SourceFile } from '../../tools/gates/source-files.ts';

const tree = readFiles(repositoryRoot, ['src/**/*.ts', 'bin/*.js']);

test('the real tree keeps the borders, and modules were looked at', () => {
  const { modules, imports, violations } = checkBorders(tree);
  assert.deepEqual(violations, []);
  assert.ok(modules > 3 && modules === tree.length, `${modules} modules`);
  assert.ok(imports > 5, `${imports} imports`);
});

type Seed = readonly [rule: string, path: string, source: string, line?: number];

/** A module each that breaks one rule. */
const seeds: readonly Seed[] = [
  ['layer', 'src/core/seed.ts', "import { serve } from '../coordinator/serve.ts';"],
  ['layer', 'src/core/seed.ts', "\nimport type { Serve } from '../coordinator/serve.ts';", 2],
  ['layer', 'src/core/seed.ts', "export { serve } from '../client/serve.ts';"],
  ['layer', 'src/core/seed.ts', "export * from '../client/serve.ts';"],
  ['layer', 'src/core/seed.ts', "export type { Serve } from '../client/serve.ts';"],
  ['layer', 'src/core/seed.ts', "/* a */ const x = async () => (await import('../cli/main.ts')).main;"],
  ['layer', 'src/ports/seed.ts', "import { createRng } from '../core/random/rng.ts';"],
  ['layer', 'src/client/seed.ts', "import '../adapters/store-sqlite.ts';"],
  ['layer', 'src/coordinator/seed.ts', "import { store } from '../adapters/store-sqlite.ts';"],
  ['layer', 'src/coordinator/seed.ts', "import { join } from '../client/join.ts';"],
  ['layer', 'src/adapters/seed.ts', "import { serve } from '../coordinator/serve.ts';"],
  ['layer', 'src/simulation/seed.ts', "import { main } from '../cli/main.ts';"],
  ['layer', 'src/coordinator/seed.ts', "import { world } from '../simulation/world.ts';"],
  ['layer', 'src/client/seed.ts', "const { simulate } = await import('../lab/index.ts');"],
  ['layer', 'src/index.ts', "export { simulate } from './lab/index.ts';"],
  ['layer', 'src/helping/seed.ts', "import { x } from '../core/x.ts';"],
  ['launcher', 'bin/seed.js', "import { main } from '../src/cli/main.ts';"],
  ['pure-import', 'src/core/seed.ts', "import { readFileSync } from 'node:fs';"],
  ['pure-import', 'src/core/seed.ts', "import type { Buffer } from 'node:buffer';"],
  ['pure-import', 'src/core/seed.ts', "import { Sender } from 'hpke';"],
  ['pure-import', 'src/core/seed.ts', "import { x } from 'zodiac';"],
  ['ports-are-types', 'src/core/seed.ts', "import { deflate } from '../ports/deflate.ts';"],
  ['pure-global', 'src/core/seed.ts', 'const now = () =>\n  Date.now();', 2],
  ['pure-global', 'src/core/seed.ts', 'const x = `${Math.random()}`;'],
  ['pure-global', 'src/core/seed.ts', 'setTimeout(() => {}, 1);'],
  ['pure-global', 'src/core/seed.ts', 'const t = performance.now();'],
  ['pure-global', 'src/core/seed.ts', 'const x = await fetch(url);'],
  ['pure-global', 'src/core/seed.ts', 'const x = globalThis.crypto.getRandomValues(bytes);'],
  ['pure-global', 'src/core/seed.ts', 'crypto.getRandomValues(bytes);'],
  ['pure-global', 'src/core/seed.ts', 'if (process.platform === "linux") a();'],
  ['pure-global', 'src/core/seed.ts', 'const x = a / 2; const y = new Date(); const z = b / 3;'],
  ['primitives', 'src/adapters/seed.ts', "import { createCipheriv } from 'node:crypto';"],
  ['primitives', 'src/node/seed.ts', "import { type KeyObject, sign } from 'node:crypto';"],
  ['primitives', 'src/cli/seed.ts', "const { createHash } = await import('node:crypto');"],
  ['primitives', 'src/simulation/seed.ts', "import * as crypto from 'crypto';"],
  ['primitives', 'src/adapters/seed.ts', "import { CipherSuite } from 'hpke';"],
  ['layer', 'src/client/seed.ts', "import { createHash } from '../primitives/index.ts';"],
  ['layer', 'src/primitives/seed.ts', "import { x } from '../core/x.ts';"],
  ['adapter-sibling', 'src/adapters/store-seed.ts', "import { x } from './blobs-files.ts';"],
  ['adapter-sibling', 'src/adapters/store/seed.ts', "import { x } from '../blobs/files.ts';"],
  ['attacks', 'src/core/seed.ts', "import { attacks } from './attacks/index.ts';"],
  ['attacks', 'src/core/index.ts', "export * from './attacks/index.ts';"],
  ['attacks', 'src/cli/commands/demo.ts', "const x = await import('../../core/attacks/index.ts');"],
  ['simulation', 'src/cli/commands/demo.ts', "import { world } from '../../simulation/world.ts';"],
  ['simulation', 'src/cli/commands/lab.ts', "import type { Lab } from '../../lab/index.ts';"],
  ['simulation', 'src/cli/commands/serve.ts', "const x = await import('../../simulation/world.ts');"],
  ['simulation', 'src/cli/main.ts', "const x = await import('../lab/index.ts');"],
  ['argv-env', 'src/coordinator/seed.ts', 'const x = process.env.HOME;'],
  ['argv-env', 'src/client/seed.ts', 'const x = globalThis.process?.argv;'],
  ['argv-env', 'src/adapters/seed.ts', "import { env } from 'node:process';"],
  ['argv-env', 'src/adapters/seed.ts', "import { parseArgs as parse } from 'node:util';"],
  ['argv-env', 'src/adapters/seed.ts', 'const { env } = process;'],
  ['argv-env', 'src/simulation/seed.ts', 'const x = process.argv[2];'],
  ['extension', 'src/core/seed.ts', "import { createRng } from './random/rng.js';"],
  ['extension', 'src/core/seed.ts', "import { createRng } from './random/rng';"],
  ['extension', 'src/core/seed.test.ts', "import { createRng } from './random/rng';"],
  ['test-import', 'src/core/seed.ts', "import { x } from './random/rng.test.ts';"],
  ['computed-import', 'src/coordinator/seed.ts', 'const x = await import(name);'],
  ['computed-import', 'src/coordinator/seed.ts', 'const x = await import(`../${name}.ts`);'],
  ['cycle', 'src/core/seed.ts', "import { x } from './seed.ts';"],
  ['readable', 'src/core/seed.ts', 'const x = `never closed;'],
];

for (const [rule, path, source, line = 1] of seeds) {
  test(`${rule} fails on "${source.trim()}" in ${path}`, () => {
    const { violations } = checkBorders([{ path, source }]);
    const found = violations.filter((violation) => violation.file === path && violation.rule === rule);
    assert.equal(found.length, 1, JSON.stringify(violations));
    assert.equal(found[0]!.line, line);
    assert.ok(found[0]!.problem.length > 20 && found[0]!.wayOut.length > 0);
  });
}

test('a tree without modules fails: nothing was checked', async () => {
  const { ok, output } = await borders.run(import.meta.dirname);
  assert.equal(ok, false);
  assert.match(output, /0 modules/);
});

test('one module that breaks a rule is seen in the real tree', () => {
  const seed = { path: 'src/core/seed.ts', source: "import { readFileSync } from 'node:fs';" };
  const found = checkBorders([...tree, seed]).violations.filter(({ file }) => file === seed.path);
  assert.deepEqual(
    found.map(({ rule }) => rule),
    ['pure-import'],
  );
});

function rulesOf(...files: readonly SourceFile[]): readonly string[] {
  return checkBorders(files).violations.map(({ rule }) => rule);
}

test('a worker or a process reached by its path counts as an import', () => {
  const hostile = { path: 'src/simulation/hostile-process.ts', source: 'export const x = 1;' };
  const spawn = "new Worker(new URL('../simulation/hostile-process.ts', import.meta.url));";
  assert.deepEqual(rulesOf(hostile, { path: 'src/coordinator/a.ts', source: spawn }), ['layer']);
  assert.deepEqual(rulesOf(hostile, { path: 'src/lab/a.ts', source: spawn }), []);
});

test('the launcher may be started by the command line and the simulation only, package.json read outside core', () => {
  const launcher = { path: 'bin/qflare.js', source: '' };
  const start = "spawn(new URL('../../bin/qflare.js', import.meta.url));";
  const version = "import own from '../../package.json' with { type: 'json' };";
  assert.deepEqual(rulesOf(launcher, { path: 'src/cli/b.ts', source: start + version }), []);
  assert.deepEqual(rulesOf(launcher, { path: 'src/client/b.ts', source: start }), ['layer']);
  assert.deepEqual(rulesOf({ path: 'src/core/b.ts', source: version }), ['layer']);
});

test('a file in a folder without a place is one violation', () => {
  const source = "import { a } from '../core/a.ts';\nimport { b } from '../core/b.ts';";
  assert.deepEqual(rulesOf({ path: 'src/helping/a.ts', source }), ['layer']);
});

test('a cycle of three is reported once with its path, also when one edge is type-only', () => {
  const { violations } = checkBorders([
    { path: 'src/core/a.ts', source: "import { b } from './b.ts';" },
    { path: 'src/core/b.ts', source: "import type { C } from './c.ts';" },
    { path: 'src/core/c.ts', source: "const a = () => import('./a.ts');" },
    { path: 'src/core/d.ts', source: "import { a } from './a.ts';" },
  ]);
  assert.equal(violations.length, 1);
  assert.match(violations[0]!.problem, /src\/core\/a\.ts → src\/core\/b\.ts → src\/core\/c\.ts → src\/core\/a\.ts/);
});

test('what is allowed stays allowed', () => {
  const allowed: readonly SourceFile[] = [
    { path: 'src/core/a.ts', source: "import type { Clock } from '../ports/clock.ts'; import { z } from 'zod';" },
    {
      path: 'src/core/b.ts',
      source: '// Date.now()\nconst a = \'import x from "node:fs"\'; /* fetch(x) */ b.process();',
    },
    {
      path: 'src/core/c.ts',
      source: 'type P = { readonly performance: number; fetch?: string }; const r = /Date|fetch/;',
    },
    { path: 'src/core/attacks/a.ts', source: "import { b } from './b.ts';" },
    { path: 'src/core/d.test.ts', source: "import test from 'node:test'; process.env.X; import './attacks/a.ts';" },
    { path: 'src/ports/a.ts', source: "import type { A } from '../core/a.ts';" },
    { path: 'src/simulation/a-process.ts', source: 'process.argv; process.env;' },
    { path: 'src/simulation/a.ts', source: "import { a } from '../core/attacks/a.ts'; process.platform;" },
    { path: 'src/cli/main.ts', source: "process.argv; import('./commands/demo.ts'); import(plugin);" },
    { path: 'src/cli/commands/demo.ts', source: "const x = await import('../../simulation/a.ts');" },
    { path: 'src/adapters/store/a.ts', source: "import { b } from './b.ts';" },
    { path: 'bin/a.js', source: "import { a } from '../tools/a.js'; import 'node:fs'; process.env.A;" },
  ];
  assert.deepEqual(rulesOf(...allowed), []);
});
