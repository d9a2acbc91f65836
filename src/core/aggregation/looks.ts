import type { Compute, Row } from '../../ports/compute.ts';
import { createRng, type Rng } from '../random/rng.ts';
import { eachTile, isDouble } from '../vector/tiles.ts';
import type { ParsedStep } from './pipeline.ts';
import { gramSpan, type Span } from './span.ts';

/**
 * The rows on random coordinates, once for each look of the last step; null for a rule that reads all coordinates. Every
 * look draws anew and without repetition, from the step's own seed or else from `seed`.
 */
export async function looksOf(
  rows: readonly Row[],
  { rule, options }: ParsedStep,
  seed: number,
  compute: Compute,
): Promise<readonly Span[] | null> {
  const wanted = rule.kind === 'weights' ? (rule.looks?.(options) ?? null) : null;
  if (wanted === null) return null;
  const rng = createRng(wanted.seed ?? seed).child('looks');
  const looks: Span[] = [];
  for (let look = 0; look < wanted.count; look++) {
    const chosen = coordinates(rows[0]!.length, wanted.width, rng);
    looks.push(gramSpan(await compute.gram(await columnsOf(rows, chosen)), false));
  }
  return looks;
}

/** The rows on a random share of their coordinates, at least one; the rows as they are where the last step reads all. */
export async function signSampleOf(
  rows: readonly Row[],
  { rule, options }: ParsedStep,
  seed: number,
): Promise<readonly Row[]> {
  const wanted = rule.signSample?.(options) ?? null;
  if (wanted === null) return rows;
  const d = rows[0]!.length;
  const rng = createRng(wanted.seed ?? seed).child('signs');
  return columnsOf(rows, coordinates(d, Math.max(1, Math.round(wanted.share * d)), rng));
}

/** `width` of the numbers below d, each set alike likely, ascending (Floyd). */
function coordinates(d: number, width: number, rng: Rng): readonly number[] {
  const chosen = new Set<number>();
  for (let most = d - Math.min(width, d); most < d; most++) {
    const drawn = rng.below(most + 1);
    chosen.add(chosen.has(drawn) ? most : drawn);
  }
  return [...chosen].sort((a, b) => a - b);
}

/** These columns of the rows, in the precision of the rows. */
async function columnsOf(rows: readonly Row[], chosen: readonly number[]): Promise<(Float32Array | Float64Array)[]> {
  const make = () => (isDouble(rows) ? new Float64Array(chosen.length) : new Float32Array(chosen.length));
  const columns = rows.map(make);
  let at = 0;
  await eachTile(rows, 4096, (tile, start) => {
    const end = start + tile[0]!.length;
    for (; at < chosen.length && chosen[at]! < end; at++) {
      for (const [i, column] of columns.entries()) column[at] = tile[i]![chosen[at]! - start]!;
    }
  });
  return columns;
}
