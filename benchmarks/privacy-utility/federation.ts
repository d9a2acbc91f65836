// A federation in one loop, for tables of accuracy: the real engine, attacks, mechanisms and rules, without coordinator.
import { createSimulatedEntropy } from '../../src/simulation/world/simulated-entropy.ts';
import { aggregateCohort } from '../../src/core/aggregation/aggregate.ts';
import { boundedAggregator, withRadius } from '../../src/core/aggregation/bounded.ts';
import type { Pipeline } from '../../src/core/aggregation/pipeline.ts';
import { type AttackId, attacks } from '../../src/core/attacks/index.ts';
import type { Dataset } from '../../src/core/data/dataset.ts';
import type { TrainingEngine, TrainOptions } from '../../src/core/learning/engine.ts';
import { initialParameters, type ModelSpec } from '../../src/core/learning/model-spec.ts';
import { type AdaptiveClip, releaseBounded, shrunkReference } from '../../src/core/privacy/bounded-release.ts';
import { noiseMultiplier } from '../../src/core/privacy/index.ts';
import { localNoise, noisyUpdate } from '../../src/core/privacy/local/noisy-update.ts';
import { unitUpdate, unitUpdateNorm, unitUpdates } from '../../src/core/privacy/local/priv-unit-update.ts';
import { createRng } from '../../src/core/random/rng.ts';
import type { Compute } from '../../src/ports/compute.ts';

export type Mode = 'centred' | 'clipped' | 'local' | 'priv-unit' | 'mean' | 'trimmed-mean';

export type Federation = {
  readonly spec: ModelSpec;
  readonly sites: readonly Dataset[];
  readonly test: Dataset;
  readonly training: TrainOptions;
  readonly rounds: number;
  readonly mode: Mode;
  /** Infinity: no noise that matters. */
  readonly epsilon: number;
  readonly delta: number;
  readonly clipNorm: number;
  readonly adaptiveClip?: AdaptiveClip | undefined;
  readonly attackers: number;
  readonly attack: AttackId | null;
  readonly seed: number;
  readonly serverRate?: number;
};

const noNoise = 1e-3;

/** Runs all rounds and gives the accuracy after each. */
export async function runFederation(
  setting: Federation,
  { engine, compute }: { readonly engine: TrainingEngine; readonly compute: Compute },
): Promise<readonly number[]> {
  const { spec, sites, rounds, mode, epsilon, delta, clipNorm, attackers, seed, serverRate = 1 } = setting;
  const root = createRng(seed);
  const entropy = createSimulatedEntropy(root.child('entropy'));
  const n = sites.length;
  const isFinite = Number.isFinite(epsilon);
  const central = isFinite
    ? noiseMultiplier({ epsilon, delta, sampleRate: 1, steps: rounds }).noiseMultiplier
    : noNoise;
  const local = isFinite ? localNoise({ epsilon, delta, releases: rounds }) : noNoise;
  const dimension = initialParameters(spec, root.child('model')).length;
  const unit = mode === 'priv-unit' ? unitUpdates(dimension, { epsilon, delta, releases: rounds }) : null;
  const unitNorm = unit === null ? 1 : unitUpdateNorm(unit, clipNorm);
  const bound = boundedAggregator(
    mode === 'clipped'
      ? [{ rule: 'clipping', radius: clipNorm }, { rule: 'mean' }]
      : [{ rule: 'centered-clipping', radius: clipNorm }],
    n,
  );
  if (!bound.ok) throw new Error(bound.reason);
  let parameters: Float32Array = initialParameters(spec, root.child('model'));
  let reference: Float32Array = new Float32Array(parameters.length);
  let radius = clipNorm;
  const accuracies: number[] = [];

  for (let round = 1; round <= rounds; round++) {
    const updates = await updatesOf(setting, { engine, parameters, round, root });
    let step: ArrayLike<number>;
    if (mode === 'centred' || mode === 'clipped') {
      const released = releaseBounded(withRadius(bound.value, radius), updates, {
        reference,
        noiseMultiplier: central,
        entropy,
        adaptiveClip: setting.adaptiveClip,
      });
      step = released.vector;
      radius = released.nextRadius;
      reference = shrunkReference(released.vector, released.noiseNorm);
    } else {
      const sent = updates.map((update, i) => leaving(update, i < attackers));
      const pipelines: Record<string, Pipeline> = {
        local: [{ rule: 'mean' }],
        mean: [{ rule: 'mean' }],
        'trimmed-mean': [{ rule: 'trimmed-mean', f: Math.max(1, attackers) }],
        // As a plan with PrivUnit has it: every report is cut to the norm that all reports have.
        'priv-unit': [{ rule: 'clipping', radius: unitNorm }, { rule: 'mean' }],
      };
      step = (await aggregateCohort({ rows: sent, hasDiagnostics: false }, pipelines[mode]!, {}, compute)).vector;
    }
    parameters = parameters.map((value, k) => value + serverRate * step[k]!);
    accuracies.push((await engine.evaluate({ spec, parameters, data: setting.test })).accuracy);
  }
  return accuracies;

  /** What leaves a client: under local privacy a report. An attacker adds no noise, and nothing obliges it to clip. */
  function leaving(update: Float32Array, isAttacker: boolean): Float32Array {
    if (isAttacker) return update;
    if (mode === 'local') return noisyUpdate(update, { clipNorm, noise: local, entropy });
    return mode === 'priv-unit' ? unitUpdate(update, { clipNorm, setting: unit!, entropy }) : update;
  }
}

/** What each client sends: the first ones attack. */
async function updatesOf(
  { spec, sites, training, attackers, attack }: Federation,
  {
    engine,
    parameters,
    round,
    root,
  }: { engine: TrainingEngine; parameters: Float32Array; round: number; root: ReturnType<typeof createRng> },
): Promise<Float32Array[]> {
  const own: Float32Array[] = [];
  for (const [i, data] of sites.entries()) {
    const rng = root.child('train', i, round);
    const trained = (await engine.train({ spec, parameters, data, options: training, rng })).parameters;
    own.push(trained.map((value, k) => value - parameters[k]!));
  }
  if (attack === null || attackers === 0) return own;
  const honest = own.slice(attackers);
  const seen = { honest, round, attackerCount: attackers, clientCount: own.length, seed: round };
  // What does not depend on the attacker's own update is the same for all of them.
  const isShared = !attack.includes('sign-flip');
  const shared = isShared ? await attacks[attack]({ ...seen, own: own[0]! } as never) : null;
  for (let i = 0; i < attackers; i++) {
    own[i] = Float32Array.from(shared ?? (await attacks[attack]({ ...seen, own: own[i]! } as never)));
  }
  return own;
}
