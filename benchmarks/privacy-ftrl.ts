// DP-FTRL next to DP-FedAvg: MNIST, 1,000 simulated clients in cohorts of 100, client-level privacy, last round.
// Usage: node benchmarks/privacy-ftrl.ts [--only banded,coins] [--epsilon 2,8] [--seeds 3]. One line of JSON a row.
// The noise is simulated (seeded). Every client trains in 20 of 200 rounds (with coins: in 20 on average).
import process from 'node:process';
import { parseArgs } from 'node:util';
import { createWasmEngine } from '../src/core/learning/wasm/engine.ts';
import { createRng } from '../src/core/random/rng.ts';
import { readMnist } from '../src/simulation/demo/sites.ts';
import { dealDatasets, dealSamples } from '../src/simulation/world/sites.ts';
import { type CrossDeviceMode, runCrossDevice } from './privacy-utility/cross-device.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'no-noise,coins,no-coins,tree,banded' },
    epsilon: { type: 'string', default: '8,2' },
    seeds: { type: 'string', default: '3' },
    from: { type: 'string', default: '1' },
    momentum: { type: 'string', default: '0' },
    rate: { type: 'string', default: '1' },
    clip: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '40' },
    learningRate: { type: 'string', default: '0.5' },
  },
});
const clients = 1000;
const training = {
  epochs: 1,
  batchSize: 20,
  learningRate: Number(values.learningRate),
  momentum: 0,
  weightDecay: 0,
  proximalMu: 0,
} as const;
const data = await readMnist();
const engine = createWasmEngine();

for (const mode of values.only.split(',') as CrossDeviceMode[]) {
  for (const epsilon of mode === 'no-noise' ? [Number.POSITIVE_INFINITY] : values.epsilon.split(',').map(Number)) {
    const made: { readonly accuracy: number; readonly noise: number }[] = [];
    for (let seed = Number(values.from); seed < Number(values.from) + Number(values.seeds); seed++) {
      const shares = dealSamples(data.training.labels, clients, { alpha: 0.5 }, createRng(seed).child('shares'));
      const sites = dealDatasets(data.training, shares);
      made.push(
        await runCrossDevice(
          {
            spec: { kind: 'softmax-regression', inputs: 784, classes: 10 },
            sites,
            test: data.test,
            training,
            rounds: Number(values.rounds),
            cohort: 100,
            restartEvery: 16,
            mode,
            epsilon,
            delta: 1e-5,
            clipNorm: Number(values.clip),
            momentum: Number(values.momentum),
            serverRate: Number(values.rate),
            seed,
          },
          engine,
        ),
      );
    }
    const accuracies = made.map(({ accuracy }) => accuracy);
    const mean = accuracies.reduce((sum, one) => sum + one, 0) / made.length;
    const row = { mode, epsilon: Number.isFinite(epsilon) ? epsilon : '∞', noiseMultiplier: made[0]!.noise };
    process.stdout.write(`${JSON.stringify({ ...row, accuracies, mean, simulated: true })}\n`);
  }
}
