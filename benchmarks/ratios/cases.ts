import { createNodeDeflate } from '../../src/adapters/deflate-node.ts';
import { aggregateCohort } from '../../src/core/aggregation/aggregate.ts';
import type { Pipeline } from '../../src/core/aggregation/pipeline.ts';
import { codecs } from '../../src/core/compression/index.ts';
import { createDataset } from '../../src/core/data/dataset.ts';
import { trainOptionsSchema } from '../../src/core/learning/engine.ts';
import { initialParameters, type ModelSpec } from '../../src/core/learning/model-spec.ts';
import { createWasmEngine } from '../../src/core/learning/wasm/engine.ts';
import { parsePlan } from '../../src/core/plan/plan.ts';
import { epsilon } from '../../src/core/privacy/index.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { createWasmCompute } from '../../src/core/vector/wasm.ts';
import { simulatePlan } from '../../src/simulation/index.ts';
import type { Work } from './ratio.ts';
import { arithmetic, memory, objects, zstandard } from './yardsticks.ts';

/** What users wait for, each against the yardstick that is most like it. */
export const ratioCases: readonly {
  readonly name: string;
  readonly make: () => Work | Promise<Work>;
  readonly yardstick: Work;
}[] = [
  { name: 'train an MLP on 320 images', make: training, yardstick: arithmetic },
  { name: 'multi-krum of 20 × 100,000', make: () => aggregation([{ rule: 'multi-krum', f: 4 }]), yardstick: memory },
  { name: 'median of 20 × 100,000', make: () => aggregation([{ rule: 'median' }]), yardstick: memory },
  { name: 'encode and decode 100,000 values', make: coding, yardstick: zstandard },
  { name: 'simulate 5 rounds of 20 clients', make: simulation, yardstick: objects },
  { name: 'ε of 1,000 sampled steps', make: accounting, yardstick: arithmetic },
];

function training(): Work {
  const rng = createRng(1);
  const spec: ModelSpec = { kind: 'mlp', layers: [784, 128, 10] };
  const data = createDataset({
    features: Float32Array.from({ length: 320 * 784 }, () => rng.float()),
    scale: 1,
    labels: Int32Array.from({ length: 320 }, () => rng.below(10)),
    sampleShape: [784],
    classCount: 10,
  });
  const parameters = initialParameters(spec, rng);
  const options = trainOptionsSchema.parse({ batchSize: 32 });
  const engine = createWasmEngine();
  return () => engine.train({ spec, parameters, data, options, rng: createRng(2) });
}

async function aggregation(pipeline: Pipeline): Promise<Work> {
  const rng = createRng(2);
  const rows = Array.from({ length: 20 }, () => Float32Array.from({ length: 100_000 }, () => rng.float() - 0.5));
  const clientIds = rows.map((_, i) => `client-${i}`);
  const compute = await createWasmCompute();
  return () => aggregateCohort({ rows, clientIds }, pipeline, {}, compute);
}

function coding(): Work {
  const rng = createRng(3);
  const delta = Float32Array.from({ length: 100_000 }, () => 0.01 * rng.gaussian());
  const deflate = createNodeDeflate();
  const codec = codecs['float16-zstd'];
  return () => codec.decode(codec.encode(delta, deflate), delta.length, deflate);
}

function simulation(): Work {
  const plan = parsePlan({
    name: 'ratio',
    model: { kind: 'softmax-regression', inputs: 20, classes: 4 },
    rounds: { count: 5 },
    cohort: { expected: 20 },
    aggregation: { pipeline: [{ rule: 'mean' }] },
  });
  const answers = [0.01, -0.01].map((value) => new Float32Array(84).fill(value));
  const trainer = {
    train: async ({ round }: { readonly round: number }) => ({ parameters: answers[round % 2]!, examples: 1 }),
    evaluate: async () => ({ examples: 1, lossSum: 1, correctCount: 1 }),
  };
  return () => simulatePlan({ plan, seed: 1, path: 'fast', trainerOf: () => trainer });
}

function accounting(): Work {
  return () => epsilon({ noiseMultiplier: 1.1, sampleRate: 0.02, steps: 1000, delta: 1e-6 });
}
