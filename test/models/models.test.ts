import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireTool } from '../../tools/gates/require-tool.ts';
import { modelChecks, preprocess, runModel } from '../../tools/models.ts';

const isDeep = process.env['QFLARE_DEEP'] !== undefined;

test('models of round and enrolment: every property holds, and mutants fail', (t) => {
  if (requireTool(t, 'spin') === undefined) return;
  // Each is compiled, which takes a second: the long suites try all mutants, this one the first of each model.
  const seen = new Map<string, number>();
  for (const check of modelChecks.filter(({ model }) => model.endsWith('.pml'))) {
    const count = (seen.get(check.model) ?? 0) + 1;
    seen.set(check.model, count);
    if (count <= 2 || isDeep) assert.equal(runModel(check), check.expected, `${check.model}: ${check.says}`);
  }
});

test('models of key establishment and channels: every property holds, every mutant fails and every control is reached', (t) => {
  if (requireTool(t, 'z3') === undefined) return;
  for (const check of modelChecks.filter(({ model }) => model.endsWith('.smt2'))) {
    assert.equal(runModel(check), check.expected, check.says);
  }
});

test('each mutant that a model names is tried, and what is tried is there', async () => {
  const { readFileSync } = await import('node:fs');
  for (const model of new Set(modelChecks.map((check) => check.model))) {
    const text = readFileSync(new URL(`../../docs/models/${model}`, import.meta.url), 'utf8');
    const inModel = new Set([...text.matchAll(/^\s*#ifn?def ((?:MUTANT|LEAK|ASK)_\w+)/gm)].map((match) => match[1]!));
    const tried = new Set(modelChecks.filter((check) => check.model === model).flatMap(({ defines }) => defines));
    assert.deepEqual([...tried].toSorted(), [...inModel].toSorted(), model);
  }
});

test('preprocess() keeps what is switched on, through nesting', () => {
  const text = 'a\n#ifdef X\nb\n#ifdef Y\nc\n#else\nd\n#endif\n#else\ne\n#endif\nf';
  assert.equal(preprocess(text, ['X']), 'a\nb\nd\nf');
  assert.equal(preprocess(text, ['X', 'Y']), 'a\nb\nc\nf');
  assert.equal(preprocess(text, ['Y']), 'a\ne\nf');
});
