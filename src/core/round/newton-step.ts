import type { Row } from '../../ports/compute.ts';
import { newtonIterate, type NewtonProblem, penalisedLoss, totalSums } from '../learning/newton.ts';
import { inTwo, modelOf, type Regression, sumsOfUpdate, sumsProblem, unknownsOf } from '../learning/newton-update.ts';
import type { Vectors } from '../learning/vectors.ts';

/** A site's update in a round of Newton. */
export type SentSums = { readonly clientId: string; readonly row: Row; readonly claimedExamples: number };

/** Two losses that differ by less are the same: sums of millions of samples round to this. */
const lossShareMin = 1e-10;

/** The point from which the last step was taken. */
type Before = { readonly w: Float64Array; readonly loss: number; readonly examples: number };

/**
 * What a round of Newton makes of the sites' sums: the model after one step, and what the next round must know.
 *
 * Formula:  w⁺ = `newtonIterate`(w); where the loss of the same number of examples has risen since the last step, that
 *           step was too long: w⁺ = the middle between where it began and where it ended.
 * Promises: the model is the step rounded to float32, and `low` of the state is what the rounding left: sites compute
 *           their sums at the model itself, so that no rounding adds up over rounds.
 * Errors:   RangeError that names the client whose sums are of no data, or the pivot that makes the step impossible.
 * Differs:  the halving is ours: an undamped step diverges from a start where the loss is far from a parabola.
 */
export async function newtonRound(
  model: Regression,
  penalty: number,
  { parameters, optimizer }: { readonly parameters: Float32Array; readonly optimizer: Vectors },
  sent: readonly SentSums[],
): Promise<{ readonly parameters: Float32Array; readonly optimizer: Vectors }> {
  const sites = [];
  for (const { clientId, row, claimedExamples } of sent) {
    const sums = await sumsOfUpdate(row, model, claimedExamples);
    const problem = sumsProblem(sums, model);
    if (problem !== undefined)
      throw new RangeError(`Cannot step by Newton with the sums of ${clientId}, as ${problem}`);
    sites.push(sums);
  }
  const total = totalSums(sites);
  const task: NewtonProblem = { inputs: model.inputs, penalty };
  const w = unknownsOf(parameters, model);
  const here: Before = { w, loss: penalisedLoss(w, total, task), examples: total.examples };
  const before = beforeIn(optimizer);
  const isTooLong =
    before !== null && before.examples === here.examples && here.loss > before.loss * (1 + lossShareMin);
  const next = isTooLong ? w.map((value, j) => (value + before.w[j]!) / 2) : newtonIterate(w, total, task);
  const bad = next.find((value) => !Number.isFinite(Math.fround(value)));
  if (bad !== undefined)
    throw new RangeError(`Cannot publish the new model as each value must be finite: one is ${bad}`);
  const made = modelOf(next, model);
  return { parameters: made.parameters, optimizer: { low: made.low, ...vectorsOf(isTooLong ? before : here) } };
}

function vectorsOf({ w, loss, examples }: Before): Vectors {
  return { from: Float32Array.from(w), 'from-loss': inTwo(loss), 'from-examples': inTwo(examples) };
}

function beforeIn(optimizer: Vectors): Before | null {
  const { from, 'from-loss': loss, 'from-examples': examples } = optimizer;
  if (from === undefined || loss === undefined || examples === undefined) return null;
  return { w: Float64Array.from(from), loss: loss[0]! + loss[1]!, examples: examples[0]! + examples[1]! };
}
