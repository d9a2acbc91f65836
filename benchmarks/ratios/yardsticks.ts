// Work that never changes, in plain JavaScript: what a processor does of it tells how fast the processor is.

/** Multiplications and additions on numbers that stay in the cache. */
export function arithmetic(): number {
  const a = new Float64Array(2048).fill(1.000001);
  let sum = 0;
  for (let pass = 0; pass < 2400; pass++) {
    for (let i = 0; i < a.length; i++) sum = sum * 0.999999 + a[i]!;
  }
  return sum;
}

const rows = Array.from({ length: 20 }, (_, i) => new Float32Array(100_000).fill(i));

/** One pass over eight megabytes. */
export function memory(): number {
  let sum = 0;
  for (const row of rows) for (let i = 0; i < row.length; i++) sum += row[i]!;
  return sum;
}

/** Objects, strings and maps: what a coordinator does all day. */
export function objects(): number {
  let size = 0;
  for (let i = 0; i < 6000; i++) {
    const text = JSON.stringify({
      round: i,
      kind: 'round.event',
      data: { clientId: `client-${i % 50}`, accepted: [i, i + 1] },
    });
    size += Object.keys(JSON.parse(text) as object).length + text.length;
  }
  return size;
}
