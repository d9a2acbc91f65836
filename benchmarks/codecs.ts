// Update codecs on real federated runs: bytes up and accuracy on MNIST, by codec and seed. Real agents, envelopes and a
// coordinator in one process; network, time and cryptography are simulated (sizes are the real ones).
// Usage: node benchmarks/codecs.ts [--seeds 1,2,3] [--rounds 10] [--clients 10] [--json] [--write]
import { parseArgs } from 'node:util';
import { codecIds } from '../src/core/compression/index.ts';
import { subset } from '../src/core/data/dataset.ts';
import { parsePlan, type PlanInput } from '../src/core/plan/plan.ts';
import { readMnist } from '../src/simulation/demo/sites.ts';
import { simulatePlan } from '../src/simulation/index.ts';
import { intoPage } from './into-page.ts';

const { values: flags } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    rounds: { type: 'string', default: '10' },
    clients: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const [rounds, clients] = [Number(flags.rounds), Number(flags.clients)];
const seeds = flags.seeds.split(',').map(Number);
const first = (count: number) => Array.from({ length: count }, (_, i) => i);
const mnist = await readMnist();
const data = { training: subset(mnist.training, first(6000)), test: subset(mnist.test, first(2000)) };

type Way = { readonly name: string; readonly aggregation: NonNullable<PlanInput['aggregation']> };
const ways: readonly Way[] = codecIds.flatMap((codec): Way[] =>
  codec === 'top-k'
    ? [0.1, 0.02].flatMap((share) => [
        { name: `top-k, ${100 * share} %`, aggregation: { codec, topK: { share } } },
        { name: `top-k, ${100 * share} %, no feedback`, aggregation: { codec, topK: { share, errorFeedback: false } } },
      ])
    : [{ name: codec, aggregation: { codec } }],
);

async function run(aggregation: Way['aggregation'], seed: number) {
  const plan = parsePlan({
    name: 'codecs',
    seed,
    model: { kind: 'mlp', layers: [784, 64, 10] },
    rounds: { count: rounds },
    cohort: { expected: clients },
    data: { alpha: 0.5 },
    aggregation: { pipeline: [{ rule: 'mean' }], ...aggregation },
  });
  const { rounds: records } = await simulatePlan({ plan, seed, data, path: 'whole', crypto: 'simulated' });
  const bytesUp = records.reduce((sum, record) => sum + record.bytesUp, 0);
  return { accuracy: records.at(-1)!.accuracy ?? Number.NaN, bytesUp: bytesUp / rounds / clients };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const results = [];
for (const { name, aggregation } of ways) {
  const runs = [];
  for (const seed of seeds) runs.push(await run(aggregation, seed));
  const accuracies = runs.map(({ accuracy }) => accuracy);
  results.push({
    codec: name,
    bytesUp: Math.round(mean(runs.map(({ bytesUp }) => bytesUp))),
    accuracy: mean(accuracies),
    lowest: Math.min(...accuracies),
    highest: Math.max(...accuracies),
  });
}
const whole = results.find(({ codec }) => codec === 'float32')!.bytesUp;
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
const table = [
  '| codec | bytes up, a client and round | ratio to float32 | accuracy | lowest to highest seed |',
  '| --- | --- | --- | --- | --- |',
  ...results.map(
    (one) =>
      `| \`${one.codec}\` | ${one.bytesUp.toLocaleString('en')} | ${(whole / one.bytesUp).toFixed(2)} | ${percent(one.accuracy)} | ${percent(one.lowest)} to ${percent(one.highest)} |`,
  ),
].join('\n');
if (flags.write) intoPage('docs/explanation/large-models.md', 'codecs', table);
process.stdout.write(flags.json ? `${JSON.stringify({ rounds, clients, seeds, results })}\n` : `${table}\n`);
