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
  await assert.rejects(printed(path, '--pipeline', 'krun'), /0.rule/);
  await assert.rejects(printed(path, '--pipeline', 'krum f'), /name=value/);
  await assert.rejects(printed(path, '--pipeline', 'krum f=1'), /honest majority/);
  writeFileSync(path, '{"rows":[["x"]]}');
  await assert.rejects(printed(path), /must hold rows of numbers/);
  await assert.rejects(printed(path, path), /two\.json as rows in JSON must be one file alone/);
  const cut = join(folder, 'cut.safetensors');
  writeFileSync(cut, 'too short');
  await assert.rejects(printed(cut, cut), /Cannot read .*cut\.safetensors: .*safetensors file/);
});
