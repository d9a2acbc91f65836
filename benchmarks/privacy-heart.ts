// Heart disease over four hospitals with privacy of each record: accuracy on the pooled test rows at ε = 10, 1, 0.1.
// Usage: node benchmarks/privacy-heart.ts FOLDER [--rounds 5] [--batch 60] [--rate 1] [--clip 0.5]. The noise is simulated.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { heartPlan, hospitals, readHospital } from '../examples/heart-disease/heart-data.ts';
import { sampleCount } from '../src/core/data/dataset.ts';
import { inputCountOf } from '../src/core/learning/model-spec.ts';
import { recordNoise, trainPrivately } from '../src/core/learning/private-training.ts';
import { referenceEngine } from '../src/core/learning/reference/engine.ts';
import { createRng } from '../src/core/random/rng.ts';
import { createSimulatedEntropy } from '../src/simulation/world/simulated-entropy.ts';

const number = (fallback: string) => ({ type: 'string', default: fallback }) as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: number('5'), batch: number('60'), rate: number('1'), clip: number('0.5') },
});
const folder = positionals[0];
if (folder === undefined) {
  process.stderr.write('Usage: node benchmarks/privacy-heart.ts FOLDER\n');
  process.exit(2);
}
const { model: spec } = heartPlan;
const d = 2 * inputCountOf(spec) + 2;
const rounds = Number(values.rounds);
const options = { epochs: 1, batchSize: Number(values.batch), learningRate: Number(values.rate), weightDecay: 0 };
const clipNorm = Number(values.clip);

/** Rounds of private training at each hospital; the mean is weighted by the rows, which are taken to be public. */
async function accuracyAt(epsilon: number, delta: number, seed: number): Promise<number> {
  const tables = await Promise.all(hospitals.map((hospital) => readHospital(folder!, hospital, seed)));
  const entropy = createSimulatedEntropy(createRng(seed).child('entropy', String(epsilon)));
  const sizes = tables.map(({ training }) => sampleCount(training));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const isPrivate = Number.isFinite(epsilon);
  const noises = sizes.map((size) => (isPrivate ? recordNoise(size, options, { epsilon, delta, rounds }) : 1e-3));
  let parameters = new Float32Array(d);
  for (let round = 0; round < rounds; round++) {
    const next = new Float32Array(d);
    for (const [i, { training: data }] of tables.entries()) {
      const trained = trainPrivately({ spec, parameters, data, options, clipNorm, noise: noises[i]!, entropy });
      for (let k = 0; k < d; k++) next[k]! += (sizes[i]! / total) * trained[k]!;
    }
    parameters = next;
  }
  let [correct, examples] = [0, 0];
  for (const { test } of tables) {
    const evaluation = await referenceEngine.evaluate({ spec, parameters, data: test! });
    correct += evaluation.correctCount;
    examples += evaluation.examples;
  }
  return correct / examples;
}

const seeds = [1, 2, 3, 4, 5];
for (const delta of [1e-3, 1e-5]) {
  for (const epsilon of [Number.POSITIVE_INFINITY, 10, 1, 0.1]) {
    const accuracies = await Promise.all(seeds.map((seed) => accuracyAt(epsilon, delta, seed)));
    const mean = accuracies.reduce((sum, one) => sum + one, 0) / seeds.length;
    const deviation = Math.sqrt(accuracies.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (seeds.length - 1));
    const shown = Number.isFinite(epsilon) ? epsilon : '∞';
    process.stdout.write(
      `${JSON.stringify({ epsilon: shown, delta, mean, deviation, unit: 'record', simulated: true })}\n`,
    );
  }
}
