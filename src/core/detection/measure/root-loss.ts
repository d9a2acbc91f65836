import type { Row, Vector } from '../../../ports/compute.ts';
import { medianOf } from '../../aggregation/rule.ts';

/** No loss counts for more: an update that breaks the model is broken enough. */
const effectMax = 1e3;

/**
 * What each update by itself does to the loss on the coordinator's root set.
 *
 * Formula:   loss(w + s_i x_i) − loss(w), s_i = min(1, median ‖x_j‖ / ‖x_i‖), so that length does not hide direction; at most
 *            ±1000, which is also what a loss that is not finite counts as.
 * Shapes:    n rows of d → n numbers.
 * Needs:     a model that the coordinator holds as a whole. The root set is no client's data.
 * Promises:  separable but for the median: a client is held against the coordinator's data, not against the others.
 * Cost:      n + 1 evaluations of the root set, and one row of memory.
 * Source:    Xie et al. 2019 (Zeno), arXiv:1805.10032: the stochastic descent score, without its penalty.
 */
export async function rootEffects(
  rows: readonly Row[],
  {
    base,
    norms,
    lossOf,
  }: {
    readonly base: Row;
    readonly norms: ArrayLike<number>;
    readonly lossOf: (parameters: Float32Array) => Promise<number>;
  },
): Promise<Float64Array> {
  const from = Float32Array.from(await valuesOf(base));
  const before = await lossOf(from);
  const usual = medianOf(Array.from(norms).filter((norm) => Number.isFinite(norm)));
  const effects = new Float64Array(rows.length);
  for (const [i, row] of rows.entries()) {
    const share = norms[i]! > usual ? usual / norms[i]! : 1;
    const update = await valuesOf(row);
    const effect = (await lossOf(from.map((value, k) => value + share * update[k]!))) - before;
    effects[i] = Number.isFinite(effect) ? Math.max(-effectMax, Math.min(effectMax, effect)) : effectMax;
  }
  return effects;
}

async function valuesOf(row: Row): Promise<Vector> {
  if (!('read' in row)) return row;
  const values = new Float32Array(row.length);
  await row.read(0, values);
  return values;
}
