import { aggregateCohort } from '../../core/aggregation/aggregate.ts';
import { codecs } from '../../core/compression/index.ts';
import { manifestOf } from '../../core/learning/model-spec.ts';
import { lastAggregate, nextModel } from '../../core/learning/server/next-model.ts';
import { decodeVectors, type Vectors } from '../../core/learning/vectors.ts';
import { decodeSafetensors, valuesFor } from '../../core/model/safetensors.ts';
import { createRng } from '../../core/random/rng.ts';
import type { ModelRow } from '../../ports/store.ts';
import type { Disk } from './coordinator-ports.ts';
import type { Commit, Invariant, Truth } from './observed.ts';
import { robustnessBound } from './robust-bound.ts';

/** What a published model was made of, by what the world knows and not by what the coordinator says. */
type Making = {
  readonly model: ModelRow;
  readonly clientIds: readonly string[];
  readonly rows: readonly Float32Array[];
  readonly weights: readonly number[];
  readonly before: Float32Array;
  readonly after: Float32Array;
  readonly reference: Float32Array;
  /** What the server's optimiser remembered before the round, and after it. */
  readonly state: Vectors;
  readonly stateAfter: Vectors;
};

/** The published model is, bit for bit, the aggregate of the updates that were accepted: of all, and of each once. */
export const modelIsTheAggregateOfTheAccepted: Invariant = (truth, refuse) => ({
  async commit(commit, disk) {
    const making = await makingOf(commit, disk, truth, refuse);
    if (making === undefined) return;
    const { plan, compute } = truth;
    const { rows, clientIds, weights, reference, before, after, state, stateAfter, model } = making;
    const seed = createRng(plan.seed).child('aggregation', model.round).uint32();
    const context = { weights, reference, seed };
    const { vector } = await aggregateCohort({ rows, clientIds }, plan.aggregation.pipeline, context, compute);
    const expected = nextModel(plan.learning.server, { base: before, state, aggregate: Float32Array.from(vector) });
    const made: Vectors = { ...stateAfter, model: after };
    for (const [name, values] of Object.entries({ ...expected.state, model: expected.model })) {
      const index = values.findIndex((value, i) => !Object.is(value, made[name]?.[i]));
      if (index === -1) continue;
      refuse(`round ${model.round}: value ${index} of ${name} is ${made[name]?.[index]} and not ${values[index]}`);
    }
  },
});

/** With no more liars than the rule allows for, the aggregate is as near to the honest mean as its proof says. */
export const honestMajorityBoundsTheError: Invariant = (truth, refuse) => ({
  async commit(commit, disk) {
    const making = await makingOf(commit, disk, truth, () => {});
    if (making === undefined) return;
    const problem = boundProblem(making, truth);
    if (problem !== undefined) refuse(`round ${making.model.round}: ${problem}`);
  },
});

/** How a step breaks the bound of its rule; undefined where it does not, or where there is no bound. */
export function boundProblem(
  {
    rows,
    clientIds,
    before,
    after,
    stateAfter,
  }: Pick<Making, 'rows' | 'clientIds' | 'before' | 'after' | 'stateAfter'>,
  { plan, isHostile }: Pick<Truth, 'plan' | 'isHostile'>,
): string | undefined {
  const honest = rows.filter((_, i) => !isHostile(clientIds[i]!));
  const bound = robustnessBound(plan.aggregation.pipeline, rows.length);
  if (bound === undefined || rows.length - honest.length > bound.f) return undefined;
  const mean = Float64Array.from(before, (_, k) => honest.reduce((sum, row) => sum + row[k]!, 0) / honest.length);
  const variance = honest.reduce((sum, row) => sum + distance2(row, mean), 0) / honest.length;
  const step = lastAggregate(plan.learning.server, { model: after, parent: before, state: stateAfter });
  const error2 = distance2(step, mean);
  // The model is kept in float32, so a step is known to half a unit in the last place of its weights.
  const rounding = 1e-6 * (Math.hypot(...before) + Math.hypot(...mean)) + 1e-9;
  const reach = Math.sqrt(bound.kappa * variance) + rounding;
  if (Math.sqrt(error2) <= reach) return undefined;
  return `${Math.sqrt(error2)} from the honest mean where at most ${reach} is proven`;
}

async function makingOf(
  { entries, before: run, models }: Commit,
  disk: Disk,
  { plan, training, deflate }: Truth,
  refuse: (problem: string) => void,
): Promise<Making | undefined> {
  const isPublished = entries.some(({ kind }) => kind === 'model.published');
  if (!isPublished || run.round === null) return undefined;
  const model = models.at(-1)!;
  const clientIds = Object.keys(run.round.accepted).sort();
  const sent = clientIds.map((clientId) => training.sent(run.round!.number, clientId));
  if (sent.some((one) => one === undefined)) {
    refuse(`round ${run.round.number} counts a client that sent nothing`);
    return undefined;
  }
  const codec = codecs[plan.aggregation.codec];
  const read = async (hash: string) => {
    const file = decodeSafetensors((await disk.blobs.get(hash))!);
    const at = file.metadata['qflare.optimizer'];
    const state = at === undefined ? {} : decodeVectors((await disk.blobs.get(at))!).vectors;
    return { parameters: valuesFor(manifestOf(plan.model), file), state };
  };
  const [made, base] = [await read(model.hash), await read(model.parentHash!)];
  const { parameters: before, state } = base;
  const grandparent = models.find(({ hash }) => hash === model.parentHash)!.parentHash;
  const parent = grandparent === null ? null : await parametersOf(grandparent);
  return {
    model,
    clientIds,
    rows: sent.map((one) => codec.decode(codec.encode(one!.delta, deflate), one!.delta.length, deflate)!),
    weights: sent.map((one) => one!.examples),
    before,
    after: made.parameters,
    state,
    stateAfter: made.state,
    reference: lastAggregate(plan.learning.server, { model: before, parent, state }),
  };

  /** Of the older models only the parameters are still there. */
  async function parametersOf(hash: string): Promise<Float32Array> {
    return valuesFor(manifestOf(plan.model), decodeSafetensors((await disk.blobs.get(hash))!));
  }
}

function distance2(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < b.length; k++) sum += (a[k]! - b[k]!) ** 2;
  return sum;
}
