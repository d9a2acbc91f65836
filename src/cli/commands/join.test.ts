import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommanderError } from 'commander';
import { createDataset } from '../../core/data/dataset.ts';
import { datasetToIdx } from '../../core/data/idx.ts';
import { parsePlan, type PlanInput } from '../../core/plan/plan.ts';
import { joinCommand, trainerFor } from './join.ts';

test('join: a patience that is no number of minutes is refused: it would be endless', async () => {
  for (const patience of ['abc', '', '-1', 'Infinity', '0']) {
    const command = joinCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    const args = ['https://x/join#', '--data', 'folder', '--patience', patience];
    await assert.rejects(
      command.parseAsync(args, { from: 'user' }),
      (error: Error) => error instanceof CommanderError && error.code === 'commander.invalidArgument',
      patience,
    );
  }
});

test('join --engine: an unknown one is refused, and a missing package is said before the link is used', async (t) => {
  const command = () =>
    joinCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
  const link = `https://127.0.0.1:1/join#v=1&token=${'A'.repeat(43)}&pin=sha256:${'A'.repeat(43)}`;
  const run = (engine: string) =>
    command().parseAsync([link, '--data', 'folder', '--engine', engine], { from: 'user' });
  await assert.rejects(run('abacus'), /Allowed choices are built-in, onnx/);
  const empty = mkdtempSync(join(tmpdir(), 'qflare-join-'));
  t.after(() => rmSync(empty, { recursive: true }));
  const before = process.cwd();
  process.chdir(empty);
  try {
    await assert.rejects(run('onnx'), /package onnxruntime-node must be installed \(ONNXRUNTIME_NODE_INSTALL=skip npm/);
  } finally {
    process.chdir(before);
  }
});

test('join --trainer: categories for histograms are read from data that the built-in trainer could read; else it is refused, as privacy of records is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'qflare-join-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const labels = Int32Array.from({ length: 20 }, (_, i) => i % 3);
  const data = createDataset({
    features: new Uint8Array(20 * 4),
    labels,
    scale: 1 / 255,
    sampleShape: [2, 2],
    classCount: 3,
  });
  const idx = datasetToIdx(data);
  writeFileSync(join(folder, 'images-idx3-ubyte'), idx.features);
  writeFileSync(join(folder, 'labels-idx1-ubyte'), idx.labels);
  const histograms = [{ name: 'labels', epsilon: 1 }];
  const planOf = (privacy: PlanInput['privacy']) =>
    parsePlan({ model: { kind: 'softmax-regression', inputs: 4, classes: 3 }, data: { holdoutShare: 0 }, privacy });
  const site = (dataDir: string, command: readonly string[] = ['true']) =>
    ({ command, dataDir, seconds: 1, engine: undefined, say: () => {} }) as const;
  const asking = planOf({ mode: 'local', histograms });
  const program = await trainerFor(asking, site(folder));
  assert.deepEqual(program.categoriesOf!('label'), labels);
  assert.equal(program.categoriesOf!('age'), undefined);
  assert.equal((await trainerFor(planOf({ mode: 'off' }), site(tmpdir()))).categoriesOf, undefined);
  await assert.rejects(
    trainerFor(asking, site(join(folder, 'none'))),
    /--trainer as the plan's privacy\.histograms \("labels" of label\) must have the categories .* \(nearest: --data as a CSV file .*\): current value is .*none/,
  );
  const record = planOf({ mode: 'local', unit: 'record', histograms });
  await assert.rejects(
    trainerFor(record, site(folder)),
    /privacy\.unit must be "client" .* \(nearest: join without --trainer, .*\): current value is "record"/,
  );
  assert.deepEqual((await trainerFor(record, site(folder, []))).categoriesOf!('label'), labels);
});
