// Hashes that must be the same on every processor: a simulated run of one seed (training, aggregation under attack,
// journal), and the core beside it. Usage: seed-hash.ts [seed]. Prints one JSON document.
import { createHash } from 'node:crypto';
import { attacks } from '../src/core/attacks/index.ts';
import { aggregateCohort } from '../src/core/aggregation/aggregate.ts';
import { registry } from '../src/core/aggregation/index.ts';
import type { PipelineStep } from '../src/core/aggregation/pipeline.ts';
import { trainOptionsSchema } from '../src/core/learning/engine.ts';
import { initialParameters, inputCountOf, type ModelSpec } from '../src/core/learning/model-spec.ts';
import { createWasmEngine } from '../src/core/learning/wasm/engine.ts';
import { parsePlan } from '../src/core/plan/plan.ts';
import { epsilon } from '../src/core/privacy/index.ts';
import { createRng } from '../src/core/random/rng.ts';
import { createReferenceCompute } from '../src/core/vector/reference.ts';
import { createWasmCompute } from '../src/core/vector/wasm.ts';
import { simulatePlan } from '../src/simulation/index.ts';

const seed = Number(process.argv[2] ?? 1);
const [n, d, f] = [9, 301, 2];

const hashOf = (...parts: readonly (ArrayBufferView | string)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(typeof part === 'string' ? part : new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }
  return hash.digest('hex');
};

/** A cohort with its rows in another order for each seed, so that order is under test too. */
function cohort<T extends Float32Array | Float64Array>(make: (values: readonly number[]) => T) {
  const rng = createRng(seed).child('cohort');
  const rows = Array.from({ length: n }, () => make(Array.from({ length: d }, () => rng.gaussian())));
  return { rows, clientIds: rows.map((_, i) => `client-${i}`) };
}

async function aggregates(): Promise<string> {
  const vectors: ArrayBufferView[] = [];
  for (const [id, { schema, rule }] of Object.entries(registry)) {
    const step: Record<string, unknown> = { rule: id };
    if ('f' in schema.shape) step['f'] = f;
    if ('radius' in schema.shape) step['radius'] = 5;
    if (rule.provenMax(n) < f && 'unproven' in schema.shape) step['unproven'] = true;
    const pipeline = [step as PipelineStep, ...(rule.kind === 'mix' ? [{ rule: 'median' } as PipelineStep] : [])];
    const context = { reference: new Float64Array(d).fill(0.1), seed };
    const plain = await aggregateCohort(
      cohort((values) => Float64Array.from(values)),
      pipeline,
      context,
      createReferenceCompute(),
    );
    const fast = await aggregateCohort(
      cohort((values) => Float32Array.from(values)),
      pipeline,
      context,
      await createWasmCompute(),
    );
    vectors.push(plain.vector, fast.vector);
  }
  return hashOf(...vectors);
}

async function training(): Promise<string> {
  const engine = createWasmEngine();
  const rng = createRng(seed);
  const specs: readonly ModelSpec[] = [
    { kind: 'softmax-regression', inputs: 9, classes: 4 },
    { kind: 'mlp', layers: [12, 7, 3] },
    { kind: 'cnn', height: 8, width: 8, inputChannels: 1, channels: [3], classes: 3 },
  ];
  const trained: ArrayBufferView[] = [];
  for (const spec of specs) {
    const width = inputCountOf(spec);
    const classCount = spec.kind === 'mlp' ? spec.layers.at(-1)! : spec.classes;
    const count = 70;
    const data = {
      features: Float32Array.from({ length: count * width }, () => rng.gaussian()),
      scale: 1,
      labels: Int32Array.from({ length: count }, () => rng.below(classCount)),
      sampleShape: [width],
      classCount,
    };
    const options = trainOptionsSchema.parse({ epochs: 3, batchSize: 8, momentum: 0.5 });
    const parameters = initialParameters(spec, rng.child('initial'));
    trained.push((await engine.train({ spec, parameters, data, options, rng: rng.child('order') })).parameters);
  }
  return hashOf(...trained);
}

async function hostile(): Promise<string> {
  const { rows } = cohort((values) => Float32Array.from(values));
  const vectors: ArrayBufferView[] = [];
  for (const attack of Object.values(attacks)) {
    vectors.push(Float32Array.from(await attack({ own: rows[0]!, honest: rows.slice(1), round: 2, seed })));
  }
  // NaN has many bit patterns, and a processor chooses one.
  return hashOf(...vectors.map((vector) => (vector as Float32Array).map((value) => (Number.isNaN(value) ? 0 : value))));
}

async function run(): Promise<{ readonly modelHash: string; readonly journalHash: string }> {
  const plan = parsePlan({
    name: 'portable',
    seed,
    model: { kind: 'mlp', layers: [16, 8, 4] },
    rounds: { count: 3 },
    cohort: { expected: 6 },
    aggregation: { pipeline: [{ rule: 'multi-krum', f: 1 }] },
  });
  return simulatePlan({ plan, seed, attackers: 1, attack: ['sign-flip'], faults: 'drawn' });
}

const { modelHash, journalHash } = await run();
const hashes = {
  model: modelHash,
  journal: journalHash,
  training: await training(),
  aggregates: await aggregates(),
  attacks: await hostile(),
};
// Accountants use Math.exp and Math.log, whose last bits differ between processors.
const { epsilon: spent } = epsilon({ noiseMultiplier: 1.1, sampleRate: 0.02, steps: 300, delta: 1e-6 });
process.stdout.write(`${JSON.stringify({ arch: process.arch, seed, hashes, epsilon: spent })}\n`);
