// Accuracy over four hospitals: Newton (the pooled optimum) beside rounds of local training with each server optimiser.
// Usage: node examples/heart-disease/compare.ts FOLDER [--json]
import type { Table } from '../../src/core/data/table.ts';
import { serverOptimizerSchema, startServer, stepServer } from '../../src/core/learning/server/index.ts';
import { inputCountOf } from '../../src/core/learning/model-spec.ts';
import { newtonStep, newtonSums } from '../../src/core/learning/newton.ts';
import { createWasmEngine } from '../../src/core/learning/wasm/engine.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { heartPlan, hospitals, readHospital } from './heart-data.ts';

const { model: spec, training: options, rounds } = heartPlan;
const d = inputCountOf(spec);
const optimizers = [
  { optimizer: 'fed-avg' },
  { optimizer: 'fed-avg-m', learningRate: 0.5 },
  { optimizer: 'fed-adam', learningRate: 0.1 },
  { optimizer: 'fed-yogi', learningRate: 0.1 },
  { optimizer: 'fed-adagrad', learningRate: 0.1 },
].map((each) => serverOptimizerSchema.parse(each));
const engine = createWasmEngine();

/** The pooled optimum as a softmax regression whose first class has weights 0. */
function trainByNewton(tables: readonly Table[]): Float32Array {
  let w = new Float64Array(d + 1);
  for (let i = 0; i < 10; i++) {
    const sums = tables.map(({ training }) => newtonSums(training, w));
    w = Float64Array.from(newtonStep(w, sums));
  }
  const parameters = new Float32Array(2 * d + 2);
  parameters.set(w.subarray(0, d), d);
  parameters[2 * d + 1] = w[d]!;
  return parameters;
}

async function trainByRounds(
  tables: readonly Table[],
  server: (typeof optimizers)[number],
  seed: number,
): Promise<Float32Array> {
  const total = tables.reduce((sum, { training }) => sum + training.labels.length, 0);
  let parameters = new Float32Array(2 * d + 2);
  let state = startServer(server, parameters.length);
  for (let round = 0; round < rounds.count; round++) {
    const aggregate = new Float32Array(parameters.length);
    for (const [i, { training: data }] of tables.entries()) {
      const rng = createRng(seed).child('train', round, i);
      const trained = await engine.train({ spec, parameters, data, options, rng });
      const weight = data.labels.length / total;
      aggregate.forEach((value, j) => {
        aggregate[j] = value + weight * (trained.parameters[j]! - parameters[j]!);
      });
    }
    const step = stepServer(server, aggregate, state);
    state = step.state;
    parameters = parameters.map((value, j) => value + step.change[j]!);
  }
  return parameters;
}

async function accuracy(tables: readonly Table[], parameters: Float32Array): Promise<number> {
  let [correct, examples] = [0, 0];
  for (const { test } of tables) {
    const evaluation = await engine.evaluate({ spec, parameters, data: test! });
    correct += evaluation.correctCount;
    examples += evaluation.examples;
  }
  return correct / examples;
}

const folder = process.argv[2];
if (folder === undefined || folder.startsWith('--')) {
  process.stderr.write('Usage: node examples/heart-disease/compare.ts FOLDER [--json]\n');
  process.exit(2);
}

const accuracies = new Map<string, number[]>();
const note = (name: string, value: number) => accuracies.set(name, [...(accuracies.get(name) ?? []), value]);
for (const seed of [1, 2, 3, 4, 5]) {
  const tables = await Promise.all(hospitals.map((hospital) => readHospital(folder, hospital, seed)));
  note('newton', await accuracy(tables, trainByNewton(tables)));
  for (const server of optimizers) {
    note(server.optimizer, await accuracy(tables, await trainByRounds(tables, server, seed)));
  }
}

const rows = [...accuracies].map(([name, values]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { name, mean, deviation: Math.sqrt(variance) };
});
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ rows }, null, 2)}\n`);
else {
  process.stdout.write('| algorithm | accuracy | deviation |\n| --- | --- | --- |\n');
  for (const { name, mean, deviation } of rows) {
    process.stdout.write(`| ${name} | ${mean.toFixed(3)} | ${deviation.toFixed(3)} |\n`);
  }
}
