// Samples a second of a training engine on one thread, with numpy and PyTorch beside it where python3 has them.
// Usage: node benchmarks/training.ts [--json]. Processor time, best of several epochs: other load only makes a run slower.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createOnnxRuntime } from '../src/adapters/graph-runtime-onnx.ts';
import { createDataset } from '../src/core/data/dataset.ts';
import { trainOptionsSchema } from '../src/core/learning/engine.ts';
import type { TrainingEngine } from '../src/core/learning/engine.ts';
import type { ModelSpec } from '../src/core/learning/model-spec.ts';
import { classCountOf, initialParameters, inputCountOf } from '../src/core/learning/model-spec.ts';
import { createGraphEngine } from '../src/core/learning/graph/engine.ts';
import { referenceEngine } from '../src/core/learning/reference/engine.ts';
import { createWasmEngine } from '../src/core/learning/wasm/engine.ts';
import { optionalPackages } from '../tools/gates/require-tool.ts';
import { createRng } from '../src/core/random/rng.ts';

type Row = { readonly model: string; readonly name: string; readonly samplesPerSecond: number };
type Case = { readonly model: string; readonly spec: ModelSpec; readonly count: number; readonly repeats: number };

const batchSize = 32;
const mlp: ModelSpec = { kind: 'mlp', layers: [784, 128, 10] };
const cnn: ModelSpec = { kind: 'cnn', height: 28, width: 28, inputChannels: 1, channels: [16, 32], classes: 10 };
const cases: readonly Case[] = [
  { model: 'mlp 784-128-10', spec: mlp, count: 6400, repeats: 20 },
  { model: 'cnn 16-32', spec: cnn, count: 640, repeats: 10 },
  {
    model: 'softmax regression 30-2',
    spec: { kind: 'softmax-regression', inputs: 30, classes: 2 },
    count: 64_000,
    repeats: 10,
  },
];

async function measure(engine: TrainingEngine, { model, spec, count, repeats }: Case): Promise<Row> {
  const rng = createRng(1);
  const width = inputCountOf(spec);
  const data = createDataset({
    features: Float32Array.from({ length: count * width }, () => rng.float()),
    scale: 1,
    labels: Int32Array.from({ length: count }, () => rng.below(classCountOf(spec))),
    sampleShape: [width],
    classCount: classCountOf(spec),
  });
  const parameters = initialParameters(spec, rng);
  const options = trainOptionsSchema.parse({ batchSize });
  let best = Infinity;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const start = process.cpuUsage();
    await engine.train({ spec, parameters, data, options, rng });
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, user + system);
  }
  return { model, name: `QFLARE ${engine.name}`, samplesPerSecond: (count / best) * 1e6 };
}

function measurePeer(script: string, { model, spec, count, repeats }: Case): Row | undefined {
  const oneThread = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
  // Without these, malloc gives each freed array back to the kernel and the peer mostly measures page faults.
  const allocator = { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: '536870912' };
  const job = JSON.stringify([spec, batchSize, count, repeats]);
  const { status, stdout, stderr } = spawnSync('python3', [join(import.meta.dirname, script), job], {
    encoding: 'utf8',
    env: { ...process.env, ...oneThread, ...allocator },
  });
  if (status === 0) return { model, ...(JSON.parse(stdout) as Omit<Row, 'model'>) };
  const reason = stderr?.trim().split('\n').at(-1) ?? 'no python3';
  process.stderr.write(`bench:training: ${script} left out (${reason})\n`);
  return undefined;
}

/** The optional engine, where its package is. */
function findOnnxEngine(): TrainingEngine | undefined {
  try {
    return createGraphEngine(createOnnxRuntime([process.cwd(), optionalPackages]));
  } catch (error) {
    process.stderr.write(`bench:training: onnx left out (${(error as Error).message})\n`);
    return undefined;
  }
}

const onnx = findOnnxEngine();
const rows: (Row | undefined)[] = [];
for (const each of cases) {
  rows.push(await measure(createWasmEngine(), each));
  if (onnx !== undefined) rows.push(await measure(onnx, each));
  rows.push(await measure(referenceEngine, { ...each, count: each.spec.kind === 'cnn' ? 4 : 320, repeats: 2 }));
  if (each.spec.kind !== 'cnn') rows.push(measurePeer('training_numpy.py', each));
  rows.push(measurePeer('training_pytorch.py', each));
}
const found = rows.filter((row) => row !== undefined);

if (process.argv.includes('--json')) {
  process.stdout.write(`${JSON.stringify({ batchSize, threads: 1, time: 'processor', rows: found }, null, 2)}\n`);
} else {
  for (const { model, name, samplesPerSecond } of found) {
    process.stdout.write(
      `${model.padEnd(26)}${name.padEnd(20)}${Math.round(samplesPerSecond).toLocaleString('en')} samples/s\n`,
    );
  }
}
