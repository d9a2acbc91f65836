import type { SpooledRow } from '../../../ports/compute.ts';
import type { Vectors } from '../vectors.ts';
import { type ServerOptimizerOptions, startServer, stepServer } from './index.ts';

/** The name under which the state holds the last aggregate, for rules that clip around it. */
const aggregateName = 'aggregate';
const tileValues = 1 << 18;

/**
 * The global model after a round.
 *
 * Formula:  x⁺ = x + change(Δ, state), in float32; the state is the optimiser's own and the aggregate Δ itself.
 * Promises: a function of base, aggregate and state alone, so a restart and a check elsewhere give the same bits. FedAvg
 *           keeps no state: its last aggregate is the last step divided by η.
 * Errors:   RangeError that names the first parameter that would not be finite.
 */
export function nextModel(
  options: ServerOptimizerOptions,
  {
    base,
    aggregate,
    state,
    offset = 0,
  }: {
    readonly base: Float32Array;
    readonly aggregate: Float32Array;
    readonly state: Vectors;
    /** Where the vectors begin in those of the model, when they are parts of them. */
    readonly offset?: number;
  },
): { readonly model: Float32Array; readonly state: Vectors } {
  const d = base.length;
  const { [aggregateName]: _, ...own } = state;
  const isFresh = Object.keys(own).length === 0;
  const step = stepServer(options, aggregate, isFresh ? startServer(options, d) : own);
  const model = new Float32Array(d);
  for (let i = 0; i < d; i++) model[i] = base[i]! + step.change[i]!;
  const bad = model.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) {
    throw new RangeError(
      `Cannot publish the new model as parameter ${offset + bad} must be finite: it is ${model[bad]}`,
    );
  }
  const isEmpty = Object.keys(step.state).length === 0;
  return { model, state: isEmpty ? {} : { ...step.state, [aggregateName]: aggregate } };
}

/**
 * The aggregate that led to a model: what centred clipping clips around. Zero before the first round.
 *
 * Formula: the state's own record; for FedAvg (x − x⁻) ÷ η.
 */
export function lastAggregate(
  options: ServerOptimizerOptions,
  {
    model,
    parent,
    state,
  }: { readonly model: Float32Array; readonly parent: Float32Array | null; readonly state: Vectors },
): Float32Array {
  const kept = state[aggregateName];
  if (kept !== undefined) return kept;
  const step = new Float32Array(model.length);
  if (parent === null || options.optimizer !== 'fed-avg') return step;
  for (let i = 0; i < step.length; i++) step[i] = (model[i]! - parent[i]!) / options.learningRate;
  return step;
}

/** Whether an optimiser keeps nothing between rounds, so that a model of any size is stepped tile by tile. */
export function isStateless({ optimizer }: ServerOptimizerOptions): boolean {
  return optimizer === 'fed-avg';
}

/**
 * The global model after a round of a stateless optimiser, tile by tile: the same values as `nextModel` gives.
 *
 * Shapes: base [d], aggregate [d] → tiles in order, in arrays of their own. Cost: two tiles of memory.
 */
export async function* nextModelTiles(
  options: ServerOptimizerOptions,
  base: SpooledRow,
  aggregate: Float32Array,
): AsyncGenerator<Float32Array> {
  const buffer = new Float32Array(Math.min(tileValues, base.length));
  for (let start = 0; start < base.length; start += tileValues) {
    const tile = buffer.subarray(0, Math.min(tileValues, base.length - start));
    await base.read(start, tile);
    const part = aggregate.subarray(start, start + tile.length);
    yield nextModel(options, { base: tile, aggregate: part, state: {}, offset: start }).model;
  }
}

/** The aggregate that led to a model of a stateless optimiser, as a row that is read range by range. */
export function lastAggregateRow(
  options: ServerOptimizerOptions,
  { model, parent }: { readonly model: SpooledRow; readonly parent: SpooledRow | null },
): SpooledRow {
  return {
    length: model.length,
    async read(start, target) {
      const before = new Float32Array(target.length);
      await Promise.all([model.read(start, target), parent?.read(start, before)]);
      const earlier = parent === null ? null : before;
      target.set(lastAggregate(options, { model: target, parent: earlier, state: {} }));
    },
  };
}
