import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { aggregate } from '../aggregation/entry.ts';
import type { Pipeline } from '../aggregation/pipeline.ts';
import { alie, alieZMax } from './alie.ts';
import type { Attack } from './attack.ts';
import { ipm } from './ipm.ts';
import { mimic } from './mimic.ts';
import { minMax } from './min-max.ts';
import { minSum } from './min-sum.ts';
import { modelReplacement } from './model-replacement.ts';
import { optimalAlie } from './optimal-alie.ts';
import { optimalIpm } from './optimal-ipm.ts';
import { cornerTrigger } from './poison/backdoor.ts';
import { cyclicLabelFlip } from './poison/cyclic-label-flip.ts';
import { labelFlip } from './poison/label-flip.ts';
import type { Perturbation } from './pushed.ts';

type AttackCase = {
  readonly id: string;
  readonly attack: string;
  readonly params: Readonly<Record<string, number | string>>;
  readonly honest: readonly (readonly number[])[];
  readonly expected: readonly number[];
};

const shared = process.env['QFLARE_SHARED'] ?? join(import.meta.dirname, '../../../../shared');
const file = join(shared, 'vectors/robust-dp.json');
const skip = existsSync(file) ? false : 'the folder with outside vectors is not there';
const vectors = skip === false ? JSON.parse(readFileSync(file, 'utf8')) : { attacks: [], alie_zmax: { rows: [] } };

test('the file of outside vectors holds attacks', { skip }, () => {
  assert.ok(vectors.attacks.length >= 20);
});

const perturbations: Record<string, Perturbation> = {
  '-mean/|mean|': 'unit',
  '-sign(mean)': 'sign',
  '-std(ddof=1)': 'deviation',
};

function attackOf({ attack, params }: AttackCase): Attack {
  const tau = params['tau'] as number;
  const perturbation = perturbations[params['perturbation'] as string];
  const known: Record<string, () => Attack> = {
    ipm: () => ipm(tau),
    alie: () => alie(params['sign'] === '+' ? -tau : tau),
    mimic: () => mimic(params['epsilon'] as number),
    sign_flip: () => ipm(1),
    min_max: () => minMax(perturbation),
    min_sum: () => minSum(perturbation),
    optimal_alie: () => optimalAlie,
    optimal_ipm: () => optimalIpm,
  };
  return known[attack]!();
}

/** "nnm(f=1)>clipping(c=2)>trimmed_mean(f=1)" as a pipeline. */
function pipelineOf(text: string): Pipeline {
  return text.split('>').map((step) => {
    const [, name, key, value] = /^(\w+)(?:\((\w)=(\d+)\))?$/.exec(step)!;
    const option = key === undefined ? {} : { [key === 'c' ? 'radius' : key]: Number(value) };
    return { rule: name!.replace('_', '-'), ...option };
  }) as Pipeline;
}

// Updates are float32 on the wire, so a vector is compared at its rounding.
const tolerance = 2e-6;

for (const item of vectors.attacks as AttackCase[]) {
  test(`vector ${item.id}`, { skip }, async () => {
    const honest = item.honest.map((row) => Float32Array.from(row));
    const rule = item.params['aggregator'] as string | undefined;
    const aggregated = async (rows: readonly Float32Array[]): Promise<ArrayLike<number>> =>
      aggregate(
        rows.map((row) => Float64Array.from(row)),
        pipelineOf(rule!),
      );
    const hostile = await attackOf(item)({
      own: honest[0]!,
      honest,
      round: 0,
      seed: 1,
      attackerCount: (item.params['f'] as number | undefined) ?? 1,
      aggregate: rule === undefined ? undefined : aggregated,
    });
    for (const [k, value] of item.expected.entries()) {
      assert.ok(
        Math.abs(hostile[k]! - value) <= tolerance * Math.max(1, Math.abs(value)),
        `${hostile[k]} is not ${value}`,
      );
    }
  });
}

test('z of a little is enough equals the outside values', { skip }, () => {
  for (const { n, f, z_max } of vectors.alie_zmax.rows) assert.ok(Math.abs(alieZMax(n, f) - z_max) < 1e-9);
});

test('model replacement, label flips and trigger equal the outside values', { skip }, async () => {
  // G = [1, 1], X = [1.3, 0.4], n = 10.
  const hostile = await modelReplacement({ own: Float32Array.of(0.3, -0.6), round: 0, seed: 0, clientCount: 10 });
  for (const [k, value] of vectors.model_replacement.expected_delta.entries()) {
    assert.ok(Math.abs(hostile[k]! - value) < 1e-6);
  }
  const [nine, next] = vectors.label_flips;
  const samples = { features: new Float32Array(10), width: 1, lineLength: 1, classCount: 10 };
  const flip = (poison: typeof labelFlip, labels: number[]): number[] =>
    Array.from(poison({ ...samples, labels: Int32Array.from(labels) }, { seed: 0, colluder: 0 }).labels);
  assert.deepEqual(flip(labelFlip, nine.labels), nine.expected);
  assert.deepEqual(flip(cyclicLabelFlip, next.labels), next.expected);
  assert.deepEqual(cornerTrigger, vectors.triggers[0].pixels);
});
