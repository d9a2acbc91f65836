// Accuracy by mode, attack and ε: MNIST, 1,000 simulated clients, client-level privacy, softmax regression, last round.
// Usage: node benchmarks/privacy-utility.ts [--seconds 250] [--only centred,mean] [--write] [--tables]
// Each cell that is done is kept in benchmarks/evidence, so that it can be run in pieces; --tables runs nothing; --write puts
// what is known into docs/explanation/privacy.md. The noise is simulated (seeded).
import process from 'node:process';
import { parseArgs } from 'node:util';
import { createWasmEngine } from '../src/core/learning/wasm/engine.ts';
import { initialParameters } from '../src/core/learning/model-spec.ts';
import { createRng } from '../src/core/random/rng.ts';
import { createWasmCompute } from '../src/core/vector/wasm.ts';
import { readMnist } from '../src/simulation/demo/sites.ts';
import { dealDatasets, dealSamples } from '../src/simulation/world/sites.ts';
import { intoPage } from './into-page.ts';
import { allCells, type Cell, keepCell, knownCells, nameOf, roundsOf } from './privacy-utility/cells.ts';
import { type Federation, runFederation } from './privacy-utility/federation.ts';
import { retentionLine, utilityTable } from './privacy-utility/table.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: 'Infinity' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
    tables: { type: 'boolean', default: false },
  },
});
const clients = 1000;
const training = { epochs: 1, batchSize: 20, learningRate: 0.5, momentum: 0, weightDecay: 0, proximalMu: 0 } as const;
const spec = { kind: 'softmax-regression', inputs: 784, classes: 10 } as const;

if (!values.tables) await runCells(1000 * Number(values.seconds));
const known = knownCells();
const lines = utilityTable(known);
const { line, isMet } = retentionLine(known);
process.stdout.write(`${lines.join('\n')}\n\n${line}\n`);
if (values.write) intoPage('docs/explanation/privacy.md', 'privacy-utility', [line, '', ...lines].join('\n'));
if (!isMet) process.exitCode = 1;

async function runCells(milliseconds: number): Promise<void> {
  const started = performance.now();
  const done = knownCells();
  const data = await readMnist();
  const parts = { engine: createWasmEngine(), compute: await createWasmCompute() };
  const pending = allCells().filter(
    (cell) => !done.has(nameOf(cell)) && (values.only === undefined || values.only.split(',').includes(cell.mode)),
  );
  for (const cell of pending) {
    if (performance.now() - started > milliseconds) return;
    const accuracy = cell.mode === 'centralised' ? await centralised(cell.seed) : await federated(cell, cell.mode);
    keepCell(nameOf(cell), accuracy);
    process.stderr.write(`${nameOf(cell)}: ${accuracy} (${((performance.now() - started) / 1000).toFixed(0)} s)\n`);
  }

  /** The same passes over all images in one place, at the learning rate that suits it. */
  async function centralised(seed: number): Promise<number> {
    const rng = createRng(seed);
    const parameters = initialParameters(spec, rng.child('model'));
    const options = { ...training, epochs: roundsOf('centralised'), learningRate: 0.1, batchSize: 32 };
    const { engine } = parts;
    const job = { spec, parameters, data: data.training, options, rng: rng.child('centralised') };
    const trained = await engine.train(job);
    return (await engine.evaluate({ spec, parameters: trained.parameters, data: data.test })).accuracy;
  }

  async function federated({ attack, epsilon, seed }: Cell, mode: Federation['mode']): Promise<number> {
    const shares = dealSamples(data.training.labels, clients, { alpha: 0.5 }, createRng(seed).child('shares'));
    const setting: Federation = {
      spec,
      sites: dealDatasets(data.training, shares),
      test: data.test,
      training,
      rounds: roundsOf(mode),
      mode,
      epsilon: epsilon ?? Number.POSITIVE_INFINITY,
      delta: 1e-5,
      clipNorm: 2,
      attackers: attack === 'none' ? 0 : 100,
      attack: attack === 'none' ? null : attack,
      seed,
    };
    return (await runFederation(setting, parts)).at(-1)!;
  }
}
