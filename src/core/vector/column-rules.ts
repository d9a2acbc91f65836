import type { ColumnRule } from '../../ports/compute.ts';

/**
 * One output coordinate from the values of a column, in float64: the plain reference of the emitted kernels.
 *
 * `values` come in canonical order of the rows; `scratch` has the same length. Negative zero never comes out.
 */
export function columnValue(values: Float64Array, scratch: Float64Array, rule: ColumnRule): number {
  switch (rule.kind) {
    case 'ranks':
      return (sortInto(scratch, values), rankMean(scratch, rule.low, rule.high) + 0);
    case 'nearest':
      return (sortInto(scratch, values), nearestMean(values, rankMean(scratch, rule.low, rule.high), rule.keep) + 0);
    case 'sign-majority':
      return Math.sign(signSum(values)) + 0;
    case 'sign-flip':
      return (Math.abs(signSum(values)) < rule.threshold ? -1 : 1) * rankMean(values, 0, values.length) + 0;
  }
}

function sortInto(target: Float64Array, values: Float64Array): void {
  target.set(values);
  if (values.length > 64) {
    target.sort();
    return;
  }
  for (let i = 1; i < target.length; i++) {
    const value = target[i]!;
    let j = i - 1;
    for (; j >= 0 && target[j]! > value; j--) target[j + 1] = target[j]!;
    target[j + 1] = value;
  }
}

/** The mean of sorted[low … high), divided before adding where the sum overflows. */
function rankMean(sorted: Float64Array, low: number, high: number): number {
  let sum = 0;
  for (let i = low; i < high; i++) sum += sorted[i]!;
  if (Number.isFinite(sum)) return sum / (high - low);
  let mean = 0;
  for (let i = low; i < high; i++) mean += sorted[i]! / (high - low);
  return mean;
}

function signSum(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += Math.sign(value);
  return sum;
}

/**
 * The mean of the `keep` values nearest to `centre`; equal distances go to the lower index.
 * The last step of Bulyan, mean-around-median (about the median) and Phocas (about the trimmed mean).
 */
export function nearestMean(values: Float64Array, centre: number, keep: number): number {
  const distance = (i: number): number => Math.abs(values[i]! / 2 - centre / 2);
  const order = Array.from(values, (_, i) => i).sort((a, b) => distance(a) - distance(b) || a - b);
  let sum = 0;
  for (let i = 0; i < keep; i++) sum += values[order[i]!]! / keep;
  return sum;
}
