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

/** Vectors that stay in their file, by name: what an optimiser remembers of a model of any size. */
export type Rows = Readonly<Record<string, SpooledRow>>;

/** A vector that is made tile by tile, each time it is asked for. */
export type Tiles = { readonly length: number; tiles(): AsyncIterable<Float32Array> };

/**
 * The global model after a round and what the optimiser keeps, tile by tile: the same values as `nextModel` gives, since
 * every optimiser steps each coordinate by itself.
 *
 * Shapes: base [d], state [d] each, aggregate [d] → tiles in order, in arrays of their own; the aggregate counts times
 *         `scale`. Cost: a few tiles of memory; each vector that is asked for reads base and state once.
 */
export function nextModelTiles(
  options: ServerOptimizerOptions,
  round: { readonly base: SpooledRow; readonly state: Rows; readonly aggregate: Float32Array; readonly scale: number },
): { readonly model: Tiles; readonly state: Readonly<Record<string, Tiles>> } {
  const { base, state, aggregate, scale } = round;
  const length = base.length;

  async function* made(pick: (next: ReturnType<typeof nextModel>) => Float32Array): AsyncGenerator<Float32Array> {
    const buffers = [base, ...Object.values(state)].map(() => new Float32Array(Math.min(tileValues, length)));
    for (let start = 0; start < length; start += tileValues) {
      const tiles = buffers.map((buffer) => buffer.subarray(0, Math.min(tileValues, length - start)));
      await Promise.all([base, ...Object.values(state)].map((row, i) => row.read(start, tiles[i]!)));
      const before = Object.fromEntries(Object.keys(state).map((name, i) => [name, tiles[i + 1]!]));
      const change = aggregate.subarray(start, start + tiles[0]!.length).map((value) => scale * value);
      yield pick(nextModel(options, { base: tiles[0]!, aggregate: change, state: before, offset: start }));
    }
  }

  const kept = Object.keys(startServer(options, 1));
  const names = kept.length === 0 ? [] : [...kept, aggregateName];
  return {
    model: { length, tiles: () => made(({ model }) => model) },
    state: Object.fromEntries(
      names.map((name) => [name, { length, tiles: () => made((next) => next.state[name]!) }] as const),
    ),
  };
}

/** The aggregate that led to a model, as a row that is read range by range. */
export function lastAggregateRow(
  options: ServerOptimizerOptions,
  { model, parent, state }: { readonly model: SpooledRow; readonly parent: SpooledRow | null; readonly state: Rows },
): SpooledRow {
  const kept = state[aggregateName];
  if (kept !== undefined) return kept;
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
