// Accuracy by mode, attack and ε: MNIST, 1,000 simulated clients, client-level privacy, softmax regression, last round.
// Usage: node benchmarks/privacy-utility.ts [--only centred,mean] [--attack none,alie] [--seeds 3]. One line of JSON a row.
// The noise is simulated (seeded). `retention` is the accuracy as a share of the centralised one of the same seed.
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { AttackId } from '../src/core/attacks/index.ts';
import { createWasmEngine } from '../src/core/learning/wasm/engine.ts';
import { initialParameters } from '../src/core/learning/model-spec.ts';
import { createRng } from '../src/core/random/rng.ts';
import { createWasmCompute } from '../src/core/vector/wasm.ts';
import { readMnist } from '../src/simulation/demo/sites.ts';
import { dealDatasets, dealSamples } from '../src/simulation/world/sites.ts';
import { type Federation, type Mode, runFederation } from './privacy-utility/federation.ts';

const { values } = parseArgs({
  options: { only: { type: 'string' }, attack: { type: 'string' }, seeds: { type: 'string', default: '3' } },
});
const clients = 1000;
const attackers = 100;
const rounds = 20;
const budgets = [1, 2, 4, 8, Number.POSITIVE_INFINITY];
const modes: Readonly<Record<Mode, readonly number[]>> = {
  centred: budgets,
  clipped: [8],
  mean: [Number.POSITIVE_INFINITY],
  'trimmed-mean': [Number.POSITIVE_INFINITY],
  // A thousand times the noise of the others has to be drawn: one budget, five rounds.
  local: [8],
};
const training = { epochs: 1, batchSize: 20, learningRate: 0.5, momentum: 0, weightDecay: 0, proximalMu: 0 } as const;
const spec = { kind: 'softmax-regression', inputs: 784, classes: 10 } as const;
const data = await readMnist();
const [engine, compute] = [createWasmEngine(), await createWasmCompute()];
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1);
const chosen = (list: string | undefined, name: string) => list === undefined || list.split(',').includes(name);

/** The same passes over all images in one place, at the learning rate that suits it. */
async function centralised(seed: number): Promise<number> {
  const rng = createRng(seed);
  const parameters = initialParameters(spec, rng.child('model'));
  const options = { ...training, epochs: rounds, learningRate: 0.1, batchSize: 32 };
  const trained = await engine.train({ spec, parameters, data: data.training, options, rng: rng.child('centralised') });
  return (await engine.evaluate({ spec, parameters: trained.parameters, data: data.test })).accuracy;
}

const whole = await Promise.all(seeds.map(centralised));
process.stdout.write(`${JSON.stringify({ mode: 'centralised', rounds, accuracies: whole })}\n`);

for (const [mode, epsilons] of Object.entries(modes) as [Mode, readonly number[]][]) {
  if (!chosen(values.only, mode)) continue;
  for (const attack of [null, 'scaled-sign-flip', 'alie'] as const satisfies readonly (AttackId | null)[]) {
    if (!chosen(values.attack, attack ?? 'none') || (mode === 'local' && attack !== null)) continue;
    for (const epsilon of epsilons) {
      const accuracies: number[] = [];
      const used = mode === 'local' ? seeds.slice(0, 1) : seeds;
      for (const seed of used) {
        const shares = dealSamples(data.training.labels, clients, { alpha: 0.5 }, createRng(seed).child('shares'));
        const setting: Federation = {
          spec,
          sites: dealDatasets(data.training, shares),
          test: data.test,
          training,
          rounds: mode === 'local' ? 5 : rounds,
          mode,
          epsilon,
          delta: 1e-5,
          clipNorm: 2,
          attackers: attack === null ? 0 : attackers,
          attack,
          seed,
        };
        accuracies.push((await runFederation(setting, { engine, compute })).at(-1)!);
      }
      const mean = accuracies.reduce((sum, one) => sum + one, 0) / accuracies.length;
      const base = whole.slice(0, used.length).reduce((sum, one) => sum + one, 0) / used.length;
      const row = { mode, attack: attack ?? 'none', epsilon: Number.isFinite(epsilon) ? epsilon : '∞', accuracies };
      process.stdout.write(`${JSON.stringify({ ...row, mean, retention: mean / base, simulated: true })}\n`);
    }
  }
}
