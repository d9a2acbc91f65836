import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { tensor } from '../../core/model/manifest.ts';
import { decodeSafetensors, encodeSafetensors } from '../../core/model/safetensors.ts';
import { runCommand } from '../../../test/cli/run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'qflare-aggregate-'));
after(() => rmSync(folder, { recursive: true }));

const printed = async (...args: string[]) => runCommand('aggregate', ...args);

test('qflare aggregate reads rows from JSON and drops one with NaN', async () => {
  const path = join(folder, 'rows.json');
  writeFileSync(
    path,
    JSON.stringify([
      [1, 2, 3],
      [4, 5, 6],
      ['NaN', 0, 0],
      [7, 8, 9],
    ]),
  );
  const report = JSON.parse(await printed(path, '--pipeline', 'nnm f=1 > trimmed-mean f=1', '--json'));
  assert.deepEqual(report.dropped, [{ clientId: '2', reason: 'non-finite' }]);
  // One liar has shown itself, so f is 0: the plain mean of the other three.
  for (const [k, value] of [4, 5, 6].entries()) assert.ok(Math.abs(report.vector[k] - value) < 1e-12);
  assert.match(await printed(path, '--pipeline', '[{"rule":"median"}]'), /2 {8}dropped.*\n[\s\S]*aggregate {2}4 5 6/);
});

test('qflare aggregate merges models and writes one with the same tensors', async () => {
  const manifest = [tensor('w', 2, 1), tensor('b', 1)];
  const paths = [1, 2, 30].map((value, i) => {
    const path = join(folder, `site-${i}.safetensors`);
    writeFileSync(path, encodeSafetensors(manifest, Float32Array.of(value, -value, 2 * value)));
    return path;
  });
  const out = join(folder, 'merged.safetensors');
  await printed(...paths, '--pipeline', 'median', '--out', out, '--json');
  const merged = decodeSafetensors(readFileSync(out));
  assert.deepEqual(merged.values, Float32Array.of(2, -2, 4));
  assert.deepEqual(
    merged.tensors.map(({ name }) => name),
    ['w', 'b'],
  );
});

test('qflare aggregate tells models of one name in two folders apart', async () => {
  const paths = ['a', 'b'].map((name, i) => {
    mkdirSync(join(folder, name));
    const path = join(folder, name, 'model.safetensors');
    writeFileSync(path, encodeSafetensors([tensor('w', 1)], Float32Array.of(i)));
    return path;
  });
  const report = JSON.parse(await printed(...paths, '--json'));
  assert.deepEqual(
    report.clients.map(({ clientId }: { clientId: string }) => clientId),
    paths,
  );
});

test('qflare aggregate says what is wrong with a pipeline or a file', async () => {
  const path = join(folder, 'two.json');
  writeFileSync(path, '[[1],[2]]');
  await assert.rejects(
    printed(path, '--pipeline', 'krun'),
    /at "0.rule": rule must be one of arc, .*watchful \(did you mean "krum"\?\): current value is "krun"$/m,
  );
  await assert.rejects(printed(path, '--pipeline', 'xyz'), /current value is "xyz"$/m);
  await assert.rejects(printed(path, '--pipeline', 'trimmed-mean g=1'), /at "0": Unrecognized key: "g"/);
  await assert.rejects(printed(path, '--pipeline', 'krum f'), /name=value/);
  await assert.rejects(printed(path, '--pipeline', 'krum f=1'), /honest majority/);
  writeFileSync(path, '{"rows":[["x"]]}');
  await assert.rejects(printed(path), /must hold rows of numbers, .*: rows\.0\.0 must be a number.* value is "x"$/m);
  writeFileSync(path, '[[1],[null]]');
  await assert.rejects(printed(path), /rows\.1\.0 must be a number.* value is null$/m);
  writeFileSync(path, '[[1],[NaN]]');
  await assert.rejects(printed(path), /write "NaN" and "Infinity" in quotes/);
  writeFileSync(path, '');
  await assert.rejects(printed(path), /it is empty$/m);
  await assert.rejects(printed(join(folder, 'none.json')), /none\.json as there is no such file$/m);
  await assert.rejects(printed(), /there must be a file/);
  await assert.rejects(printed(path, path), /two\.json as rows in JSON must be one file alone/);
  const cut = join(folder, 'cut.safetensors');
  writeFileSync(cut, 'too short');
  await assert.rejects(printed(cut, cut), /Cannot read .*cut\.safetensors: .*safetensors file/);
});

test('qflare aggregate names the model whose tensors are not those of the first', async () => {
  const paths = ['w', 'v', 'w'].map((name, i) => {
    const path = join(folder, `tensors-${i}.safetensors`);
    writeFileSync(path, encodeSafetensors([tensor(name, 1)], Float32Array.of(i)));
    return path;
  });
  await assert.rejects(printed(...paths), /Cannot read .*tensors-1\.safetensors: .*tensor "w" is missing/);
});

test('qflare aggregate takes rows without names in their order, as aggregate() does, and tells what the rule found', async () => {
  // Twelve rows on a circle of scores: row 2 and row 10 tie, and 2 comes before 10, though "10" comes before "2".
  const rows = Array.from({ length: 12 }, (_, i) => [i === 2 || i === 10 ? 0 : 100 * (i + 1)]);
  const path = join(folder, 'twelve.json');
  writeFileSync(path, JSON.stringify(rows));
  const report = JSON.parse(await printed(path, '--pipeline', 'krum f=1 neighbours=1', '--json'));
  assert.deepEqual(report.findings.selected, [2]);
  assert.deepEqual(report.findings.scores.slice(2, 4), [0, 10_000]);
  assert.deepEqual(report.kept.slice(9), ['9', '10', '11']);
});

test('qflare aggregate reads history and a trusted update from JSON, and lists the rules', async () => {
  const path = join(folder, 'context.json');
  writeFileSync(
    path,
    JSON.stringify({
      rows: [
        [2, 0],
        [0, 3],
      ],
      root: [1, 0],
      reference: [9, 9],
    }),
  );
  // Only the first row agrees with the root, and comes out as long as it.
  assert.deepEqual(JSON.parse(await printed(path, '--pipeline', 'fltrust', '--json')).vector, [1, 0]);
  writeFileSync(
    path,
    JSON.stringify({
      rows: [
        [1, 0],
        [0, 1],
      ],
      history: [
        [0, 1],
        [1, 0],
      ],
    }),
  );
  // Together with what they sent before, both say the same.
  assert.deepEqual(JSON.parse(await printed(path, '--pipeline', 'foolsgold', '--json')).vector, [0, 0]);
  assert.match(await printed('--rules'), /\nkrum {16}aggregator {6}n ≥ 2f \+ 3 {12}f, unproven, neighbours\n/);
});

test('qflare simulate refuses an attack without attackers', () => {
  assert.throws(() => runCommand('simulate', '--attack', 'alie'), /--attackers must be at least 1 with --attack/);
});
