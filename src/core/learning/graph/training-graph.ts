import { classCountOf, inputCountOf, manifestOf } from '../model-spec.ts';
import type { ModelSpec } from '../model-spec.ts';
import { cast, logSoftmax, multiply, subtract } from './elementwise-ops.ts';
import { gradients } from './gradients.ts';
import { blend } from './matrix-ops.ts';
import { logitsOf } from './network.ts';
import type { NamedGraph } from './onnx.ts';
import { sumOver } from './shape-ops.ts';
import type { ElementType, Value } from './value.ts';
import { input } from './value.ts';

/** What a training graph is made for: another of any of these is another graph. */
export type TrainingShape = {
  readonly spec: ModelSpec;
  /** Samples of a batch. A smaller batch leaves rows whose target is 0. */
  readonly rows: number;
  /** Optimiser steps in one call. */
  readonly steps: number;
  readonly features: FeatureType;
  readonly momentum: number;
  /** weightDecay + proximalMu, times the learning rate. */
  readonly pull: number;
  readonly hasShift: boolean;
};

export type FeatureType = 'float32' | 'uint8';

/** The values of the parameters and of their last steps, as training goes on. */
type State = { readonly weights: readonly Value[]; readonly moves: readonly Value[] };

/**
 * Training steps as one graph: forward pass, loss, backward pass by `gradients`, update, and that `steps` times over.
 *
 * Formula:  L = Σ_i target_i · log softmax(logits_i), where target_i = −rate ÷ count at the label and 0 elsewhere, so that
 *           ∂L/∂w is the mean gradient times the learning rate;
 *           u ← momentum · u + ∂L/∂w + pull · w + shift; w ← w − u. That is SGD with u = rate · v,
 *           pull = rate · (weightDecay + proximalMu), shift = rate · (correction − proximalMu · anchor).
 * Shapes:   inputs NAME, move/NAME, shift/NAME as the manifest has them; x.s [rows, inputs], target.s [rows, classes] for
 *           each step s; a scalar `scale` for bytes. Outputs next/NAME, nextMove/NAME, logits.s.
 */
export function trainingGraph(shape: TrainingShape): NamedGraph {
  const { spec, rows, steps, momentum } = shape;
  const manifest = manifestOf(spec);
  const inputs: Record<string, Value> = {};
  const outputs: Record<string, Value> = {};
  const take: Take = (name, size, type) => (inputs[name] ??= input(size, type));
  const family = (prefix: string): Value[] => manifest.map((each) => take(prefix + each.name, each.shape));

  const parameters = family('');
  const shifts = shape.hasShift ? family('shift/') : null;
  let state: State = { weights: parameters, moves: momentum > 0 ? family('move/') : [] };
  for (let step = 0; step < steps; step++) {
    const logits = logitsOf(spec, state.weights, samplesOf(shape, `x.${step}`, take));
    const target = take(`target.${step}`, [rows, classCountOf(spec)]);
    const loss = sumOver(multiply(logSoftmax(logits), target), [0, 1]);
    outputs[`logits.${step}`] = logits;
    state = update(state, gradients(loss, state.weights), shape, shifts);
  }
  for (const [i, { name }] of manifest.entries()) {
    outputs[`next/${name}`] = state.weights[i]!;
    if (momentum > 0) outputs[`nextMove/${name}`] = state.moves[i]!;
  }
  return { inputs, outputs };
}

function update(
  { weights, moves }: State,
  slopes: readonly Value[],
  { momentum, pull }: TrainingShape,
  shifts: readonly Value[] | null,
): State {
  if (momentum === 0 && pull === 0 && shifts === null) {
    return { weights: weights.map((w, i) => blend(w, 1, slopes[i]!, -1)), moves: [] };
  }
  const steps = slopes.map((slope, i) => {
    let move = slope;
    if (momentum > 0) move = blend(moves[i]!, momentum, move, 1);
    if (pull > 0) move = blend(weights[i]!, pull, move, 1);
    return shifts === null ? move : blend(shifts[i]!, 1, move, 1);
  });
  return { weights: weights.map((w, i) => subtract(w, steps[i]!)), moves: momentum > 0 ? steps : [] };
}

type Take = (name: string, size: readonly number[], type?: ElementType) => Value;

/** A batch as floats. */
function samplesOf(shape: Pick<TrainingShape, 'spec' | 'rows' | 'features'>, name: string, take: Take): Value {
  const raw = take(name, [shape.rows, inputCountOf(shape.spec)], shape.features);
  return shape.features === 'uint8' ? multiply(cast(raw, 'float32'), take('scale', [])) : raw;
}

/** Logits of a batch x.0 and nothing more. */
export function evaluationGraph(shape: Pick<TrainingShape, 'spec' | 'rows' | 'features'>): NamedGraph {
  const inputs: Record<string, Value> = {};
  const take: Take = (name, size, type) => (inputs[name] ??= input(size, type));
  const parameters = manifestOf(shape.spec).map((each) => take(each.name, each.shape));
  return { inputs, outputs: { 'logits.0': logitsOf(shape.spec, parameters, samplesOf(shape, 'x.0', take)) } };
}
