import { parse as parseToml, TomlError } from 'smol-toml';
import { renderPlanToml } from '../../src/cli/plan-toml.ts';
import { datasetFromCsv } from '../../src/core/data/table.ts';
import { type IdxArray, parseIdx, writeIdx } from '../../src/core/data/idx.ts';
import { decodeKept, encodeKept } from '../../src/core/learning/client/kept.ts';
import { decodeVectors, encodeVectors } from '../../src/core/learning/vectors.ts';
import { tensor } from '../../src/core/model/manifest.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/core/model/safetensors.ts';
import { parsePlan, PlanError, planHash } from '../../src/core/plan/plan.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { parseLab } from '../../src/lab/lab-file.ts';
import { mutateJson, mutateText } from './mutate-json.ts';
import { define, promise } from './target.ts';
import { mutateBytes } from './wire-targets.ts';

const values = Float32Array.from({ length: 17 }, (_, i) => Math.sin(i));
const manifest = [tensor('layers.0.weight', 3, 4), tensor('layers.0.bias', 5)];
const model = encodeSafetensors(manifest, values, { format: 'pt', 'qflare.version': '3' });
const vectors = encodeVectors({ momentum: values.slice(0, 5), second: values.slice(5) });
const kept = encodeKept({ settled: { a: values }, pending: { round: 4, vectors: { a: values } } });
const idxFiles = [
  writeIdx({ shape: [2, 3, 2], values: Uint8Array.from({ length: 12 }, (_, i) => i) }),
  writeIdx({ shape: [4], values: Float32Array.of(1, 2, 3, 4) }),
  writeIdx({ shape: [2, 2], values: Int32Array.of(-1, 0, 1, 2) }),
];

const csv = `id,age,"blood type",sex,sick\n${Array.from({ length: 12 }, (_, i) => `${i},${20 + i * 3.5},"${'ABO'[i % 3]}, Rh+",${i % 2 === 0 ? 'f' : 'm'},${i % 4 === 0 ? 'yes' : 'no'}`).join('\n')}\n13,?,"A ""x""",f,no\n`;
const table = { label: { column: 'sick', classes: [['no'], ['yes']] }, drop: ['id'] };

const plan = {
  name: 'demo',
  seed: 3,
  model: { kind: 'mlp', layers: [12, 5, 3] },
  rounds: { count: 4 },
  cohort: { expected: 8, quorum: 6, deadlineSeconds: 20 },
  training: { epochs: 2, batchSize: 16, learningRate: 0.1 },
  aggregation: {
    pipeline: [
      { rule: 'nnm', f: 2 },
      { rule: 'trimmed-mean', f: 2 },
    ],
    codec: 'float16-zstd',
  },
  learning: { client: { algorithm: 'fed-prox', mu: 0.1 }, server: { optimizer: 'fed-adam', learningRate: 0.05 } },
};
const toml = renderPlanToml(parsePlan({ ...plan, learning: {} }));
const lab = {
  name: 'm',
  data: { source: 'blobs' },
  plan: { model: { kind: 'softmax-regression', inputs: 4, classes: 3 }, rounds: { count: 2 } },
  matrix: { attack: ['none', 'sign-flip'], attackers: [0.2], rule: ['mean', 'krum'], seed: [1, 2] },
};

function acceptPlan(input: unknown): boolean {
  const parsed = parsePlan(input);
  const again = parsePlan(JSON.parse(JSON.stringify(parsed)));
  promise(planHash(again) === planHash(parsed), 'a plan with its defaults filled in is another plan');
  return true;
}

/** Readers of local files: they throw their documented error and no other. */
export const fileTargets = {
  safetensors: define({
    weight: 12,
    errors: [RangeError],
    make: (rng) => mutateBytes(model, vectors, rng),
    read(bytes) {
      const file = decodeSafetensors(bytes);
      const written = encodeSafetensors(
        file.tensors.map(({ name, shape }) => tensor(name, ...shape)),
        file.values,
        file.metadata,
      );
      const again = decodeSafetensors(written);
      promise(again.values.length === file.values.length, 'a model that is written again has other values');
      const twice = encodeSafetensors(
        again.tensors.map(({ name, shape }) => tensor(name, ...shape)),
        again.values,
        again.metadata,
      );
      promise(Buffer.compare(twice, written) === 0, 'a canonical file is encoded to other bytes');
      return true;
    },
  }),
  'kept-vectors': define({
    weight: 4,
    errors: [RangeError],
    make: (rng) => mutateBytes(rng.below(2) === 0 ? kept : vectors, model, rng),
    read(bytes) {
      decodeVectors(bytes);
      decodeKept(bytes);
      return true;
    },
  }),
  idx: define({
    weight: 8,
    errors: [RangeError],
    make: (rng) => mutateBytes(idxFiles[rng.below(3)]!, idxFiles[rng.below(3)]!, rng),
    read(bytes) {
      const array: IdxArray = parseIdx(bytes, 'file');
      const hasNaN = Array.prototype.some.call(array.values, Number.isNaN);
      if (!hasNaN) promise(Buffer.compare(writeIdx(array), bytes) === 0, 'an IDX file is encoded to other bytes');
      return true;
    },
  }),
  csv: define({
    weight: 5,
    errors: [RangeError],
    make: (rng) => mutateText(csv, rng),
    read(text) {
      const { training } = datasetFromCsv(text, 'file', table, createRng(1));
      promise((training.features as Float32Array).every(Number.isFinite), 'a feature is not finite');
      return true;
    },
  }),
  plan: define({
    weight: 3,
    errors: [PlanError],
    make: (rng) => mutateJson(plan, rng),
    read: acceptPlan,
  }),
  'plan-toml': define({
    weight: 2,
    errors: [PlanError, TomlError],
    make: (rng) => mutateText(toml, rng),
    read: (text) => acceptPlan(parseToml(text)),
  }),
  lab: define({
    weight: 2,
    errors: [RangeError],
    make: (rng) => mutateJson(lab, rng),
    read(input) {
      const parsed = parseLab(input);
      promise(
        JSON.stringify(parseLab(parsed)) === JSON.stringify(parsed),
        'a matrix with its defaults filled in is another',
      );
      return true;
    },
  }),
};
