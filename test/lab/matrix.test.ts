import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { takeFileLock } from '../../src/adapters/file-lock.ts';
import { gridsOf, lab, type LabInput, runMatrix, runOneCell } from '../../src/lab/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'qflare-lab-'));
after(() => rmSync(folder, { recursive: true }));

const small: LabInput = {
  plan: {
    model: { kind: 'softmax-regression', inputs: 6, classes: 3 },
    rounds: { count: 4 },
    cohort: { expected: 8 },
    data: { holdoutShare: 0 },
    aggregation: { codec: 'float32' },
  },
  setting: { measureEvery: 2, attackerData: 'iid' },
  matrix: {
    attack: ['none', 'scaled-sign-flip'],
    attackers: [0.25],
    rule: ['mean', 'nnm > trimmed-mean'],
    seed: [1, 2],
  },
};

const resultFiles = ['results.csv', 'results.json', 'report.html'];
const bytesOf = (name: string) => resultFiles.map((file) => readFileSync(join(folder, name, file), 'utf8'));

test('one thread and two give the same bytes of results, and what is known is not run again', async () => {
  const alone = await runMatrix(small, { folder: join(folder, 'one'), threads: 1 });
  await runMatrix(small, { folder: join(folder, 'two'), threads: 2 });
  assert.equal(alone.pending, 0);
  assert.deepEqual(bytesOf('two'), bytesOf('one'));
  const seen: number[] = [];
  const again = await lab(small, { folder: join(folder, 'one'), onProgress: ({ reused }) => void seen.push(reused) });
  assert.deepEqual(seen, [8]);
  assert.deepEqual(again, alone);
});

test('a changed matrix runs what is new only, and a half-written line is run again', async () => {
  const place = join(folder, 'two');
  appendFileSync(join(place, 'cells.jsonl'), '{"key":"torn');
  const wider = { ...small, matrix: { ...small.matrix, seed: [1, 2, 3] } };
  const steps: number[] = [];
  const record = await runMatrix(wider, { folder: place, threads: 1, onProgress: ({ done }) => void steps.push(done) });
  assert.deepEqual(steps, [8, 9, 10, 11, 12]);
  assert.equal(record.cells.length, 12);
  for (const line of readFileSync(join(place, 'cells.jsonl'), 'utf8').trim().split('\n')) JSON.parse(line);
});

test('one process runs into a folder; another is refused before it runs a cell, and can read what there is', async () => {
  const place = join(folder, 'claimed');
  const narrow = { ...small, matrix: { ...small.matrix, seed: [1] } };
  const whole = await runMatrix(narrow, { folder: place, threads: 1 });
  const other = takeFileLock(join(place, 'cells.jsonl.lock'));
  assert.ok(other);
  await assert.rejects(
    runMatrix(small, { folder: place }),
    new RangeError(`Cannot run into ${place} as no other process may be running into it: one is`),
  );
  assert.deepEqual(await runMatrix(narrow, { folder: place, signal: AbortSignal.abort() }), whole);
  other.release();
  assert.equal((await runMatrix(small, { folder: place, threads: 1 })).pending, 0);
});

test('a setting that the bare path leaves out spoils no cell, and one that it reads does', async () => {
  const narrow = { ...small, matrix: { ...small.matrix, seed: [1] } };
  const place = join(folder, 'settings');
  const first = await runMatrix(narrow, { folder: place, threads: 1 });
  const watched = { ...narrow.plan, detection: { falseAlarms: 0.05 }, transparency: {}, enrolment: { linkHours: 1 } };
  const reused: number[] = [];
  const onProgress = (progress: { readonly reused: number }) => void reused.push(progress.reused);
  const second = await runMatrix({ ...narrow, plan: watched }, { folder: place, onProgress });
  assert.deepEqual(reused, [4]);
  // Not by the key alone: without a folder the same model comes out.
  const afresh = await runMatrix({ ...narrow, plan: watched }, { threads: 1 });
  assert.deepEqual([second.cells, afresh.cells], [first.cells, first.cells]);
  const slower = { ...narrow.plan, training: { learningRate: 0.01 } };
  const other = await runMatrix({ ...narrow, plan: slower }, { folder: place, signal: AbortSignal.abort() });
  assert.equal(other.cells.length, 0);
});

test('liars spoil the mean and not the robust pipeline, and each row says how it is run again', async () => {
  const record = await runMatrix(small, { folder: join(folder, 'one') });
  const [grid] = gridsOf(record);
  assert.ok(grid!.at('mean', 'scaled-sign-flip')!.mean! < 0.5);
  assert.ok(grid!.worst('nnm > trimmed-mean')!.mean! > 0.7);
  const cell = record.cells.at(-1)!;
  const { outcome } = await runOneCell(small, cell.key.slice(0, 12));
  assert.deepEqual(outcome, cell.outcome);
  await assert.rejects(runOneCell(small, 'ffff'), /which begins 0/);
});

test('the bare path gives the model of the fast path, and the fast path judges clients', async () => {
  const { matrix } = small;
  const rule = ['mean', 'multi-krum', 'bucketing > geometric-median', 'centered-clipping iterations=3'];
  const one = {
    ...small,
    matrix: { ...matrix, rule, attack: ['none', 'mimic', 'alie', 'label-flip'] as const, seed: [3] },
  };
  const bare = await runMatrix({ ...one, matrix: { ...one.matrix, attack: [...one.matrix.attack] } });
  const fast = await runMatrix({
    ...one,
    matrix: { ...one.matrix, attack: [...one.matrix.attack], detector: ['norm-cosine'] },
  });
  assert.deepEqual(
    fast.cells.map(({ outcome }) => outcome.modelHash),
    bare.cells.map(({ outcome }) => outcome.modelHash),
  );
  assert.equal(bare.cells[0]!.outcome.detection, null);
  assert.ok(fast.cells.every(({ outcome }) => outcome.detection!.honest! >= 0));
  assert.ok(fast.leftOut.some((text) => text.includes('sealing')));
});

test('worker momentum, settings by path, exclusions, and data dealt by similarity', async () => {
  const record = await runMatrix({
    ...small,
    setting: { ...small.setting, workerMomentum: 0.9, f: 'auto' },
    matrix: {
      partition: ['sorted', { similarity: 0.5 }],
      rule: [{ name: 'tm', pipeline: [{ rule: 'trimmed-mean', f: 1 }] }, 'krum'],
      settings: { 'training.learningRate': [0.1, 0.2] },
    },
    exclude: [{ partition: 'sorted', rule: ['krum'], 'training.learningRate': 0.2 }],
  });
  assert.equal(record.cells.length, 7);
  assert.deepEqual(record.cells[0]!.axes, {
    partition: 'sorted',
    attackers: '0',
    attack: 'none',
    rule: 'tm',
    'training.learningRate': '0.1',
    seed: '1',
  });
  assert.equal(gridsOf(record).length, 2);
});

test('training that leaves all numbers is told as what it is', async () => {
  const record = await runMatrix({
    ...small,
    plan: { ...small.plan, model: { kind: 'mlp', layers: [6, 8, 3] }, training: { learningRate: 1e20 } },
    matrix: { rule: ['mean'] },
  });
  assert.equal(record.cells[0]!.outcome.status, 'diverged');
  assert.match(record.cells[0]!.outcome.reason!, /^round \d+: /);
});

test('an aborted matrix keeps what has ended', async () => {
  const abort = new AbortController();
  const place = join(folder, 'aborted');
  const onProgress = ({ done }: { done: number }) => {
    if (done === 2) abort.abort();
  };
  const cut = await runMatrix(small, { folder: place, threads: 1, signal: abort.signal, onProgress });
  assert.equal(cut.pending, 6);
  assert.match(readFileSync(join(place, 'report.html'), 'utf8'), /6 cells to run/);
  assert.equal((await runMatrix(small, { folder: place })).pending, 0);
  assert.deepEqual(bytesOf('aborted'), bytesOf('one'));
});

test('what cannot run is refused with path, wish and value', async () => {
  const refused = (change: object, wish: RegExp) =>
    assert.rejects(runMatrix({ ...small, ...change } as LabInput), wish);
  await refused(
    { matrix: { ...small.matrix, attack: ['nothing'] } },
    /matrix\.attack\.0: .*current value is "nothing"/,
  );
  await refused({ matrixx: {} }, /matrixx: there is no such setting/);
  await refused(
    { matrix: { rule: ['krum f=5'] } },
    /Cannot run the cell \(partition iid.*rule krum f=5.*\):\n.*aggregation\.pipeline\.0\.f: Cannot run krum/,
  );
  await refused({ matrix: { rule: ['krun'] } }, /krun/);
  await refused({ exclude: [{ rules: 'mean' }] }, /exclude\.0\.rules must be one of partition, /);
  await refused({ exclude: [{ rule: 'meen' }] }, /exclude\.0\.rule must be one of mean, .*"meen"/);
  await refused(
    { data: { source: 'fashion-mnist', folder: '/nowhere' } },
    /\/nowhere\/train-images-idx3-ubyte must exist/,
  );
});
