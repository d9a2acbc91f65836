// Heart disease over four hospitals with privacy of each record: accuracy on the pooled test rows at ε = 10, 1, 0.1.
// Usage: node benchmarks/privacy-heart.ts FOLDER, or --choose: the settings below, found on made-up data alone. The noise is simulated.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { heartPlan, hospitals, readHospital } from '../examples/heart-disease/heart-data.ts';
import { chooseOnSynthetic } from './privacy-heart/choose.ts';
import { accuracyOf, type Setting, type Site } from './privacy-heart/federation.ts';

/** The best of `--choose` at δ = 1e-5. No row of the four hospitals was read for it. */
const chosen: readonly (readonly [epsilon: number, Setting])[] = [
  [Number.POSITIVE_INFINITY, { rounds: 1, batch: 60, rate: 1, clip: 1 }],
  [10, { rounds: 1, batch: 60, rate: 1, clip: 1 }],
  [1, { rounds: 8, batch: 200, rate: 0.03, clip: 0.5 }],
  [0.1, { rounds: 3, batch: 60, rate: 0.03, clip: 0.5 }],
];
const seeds = [1, 2, 3, 4, 5];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { choose: { type: 'boolean' } } });
const print = (row: object) => process.stdout.write(`${JSON.stringify(row)}\n`);
const shown = (epsilon: number) => (Number.isFinite(epsilon) ? epsilon : '∞');

if (values.choose === true) {
  for (const [epsilon] of chosen.slice(1)) {
    const [best, second] = await chooseOnSynthetic({ epsilon, delta: 1e-5 });
    print({ epsilon, delta: 1e-5, best, second, synthetic: true });
  }
} else if (positionals[0] === undefined) {
  process.stderr.write('Usage: node benchmarks/privacy-heart.ts FOLDER, or --choose\n');
  process.exitCode = 2;
} else await report(positionals[0]);

async function report(folder: string): Promise<void> {
  const worlds = await Promise.all(
    seeds.map((seed) => Promise.all(hospitals.map((hospital) => readHospital(folder, hospital, seed)))),
  );
  for (const delta of [1e-3, 1e-5]) {
    for (const [epsilon, setting] of chosen) {
      const found: number[] = [];
      for (const [i, seed] of seeds.entries()) {
        const sites = worlds[i]!.map(({ training, test }): Site => ({ training, test: test! }));
        found.push(await accuracyOf(heartPlan.model, sites, setting, { budget: { epsilon, delta }, seed }));
      }
      const mean = found.reduce((sum, one) => sum + one, 0) / seeds.length;
      const deviation = Math.sqrt(found.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (seeds.length - 1));
      print({ epsilon: shown(epsilon), delta, mean, deviation, setting, unit: 'record', simulated: true });
    }
  }
}
