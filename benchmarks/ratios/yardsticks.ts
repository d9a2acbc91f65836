// Work that never changes, in plain JavaScript or Node alone: what a processor does of it tells how fast the processor is.
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

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

const words = Uint8Array.from(
  { length: 200_000 },
  (_, i) => (Math.imul(i, 0x9e3779b1) >>> 24) & (i % 2 === 0 ? 15 : 255),
);

/** Zstandard there and back over 200 kB, with 100,000 multiplications between. */
export function zstandard(): number {
  const back = zstdDecompressSync(zstdCompressSync(words));
  let sum = 0;
  for (let i = 0; i < back.length; i += 2) sum += back[i]! * 0.5;
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
