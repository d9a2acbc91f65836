/** The largest magnitude; NaN when a value is NaN, so that the receiver sees it too. */
export function maxAbs(values: Float32Array, start = 0, end = values.length): number {
  let max = 0;
  for (let i = start; i < end; i++) {
    const size = Math.abs(values[i]!);
    if (!(size <= max)) max = size;
    if (Number.isNaN(max)) return max;
  }
  return max;
}
