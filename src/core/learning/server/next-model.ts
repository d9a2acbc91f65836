import type { Vectors } from '../vectors.ts';
import { type ServerOptimizerOptions, startServer, stepServer } from './index.ts';

/** The name under which the state holds the last aggregate, for rules that clip around it. */
const aggregateName = 'aggregate';

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
  }: { readonly base: Float32Array; readonly aggregate: Float32Array; readonly state: Vectors },
): { readonly model: Float32Array; readonly state: Vectors } {
  const d = base.length;
  const { [aggregateName]: _, ...own } = state;
  const isFresh = Object.keys(own).length === 0;
  const step = stepServer(options, aggregate, isFresh ? startServer(options, d) : own);
  const model = new Float32Array(d);
  for (let i = 0; i < d; i++) model[i] = base[i]! + step.change[i]!;
  const bad = model.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) {
    throw new RangeError(`Cannot publish the new model as parameter ${bad} must be finite: it is ${model[bad]}`);
  }
  const isStateless = Object.keys(step.state).length === 0;
  return { model, state: isStateless ? {} : { ...step.state, [aggregateName]: aggregate } };
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
