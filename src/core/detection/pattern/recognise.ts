import { log } from '../../numerics/portable.ts';
import type { Observation } from '../detector.ts';
import type { Pattern } from './pattern.ts';
import { type PatternTable, readPoints, signatureMax } from './pattern-table.ts';
import { patternTable } from './prototypes.ts';
import { directionAt, lengthAt, likenessAt, saysOf, signatureLength, signaturesOf } from './signature.ts';

/** An update below this share of the median length carries next to nothing. */
const emptyShare = 0.3;
/** Nearer to another update than this share of its own length, or of the usual distance, is a copy. */
const [copyShare, copyOfUsual] = [0.05, 0.1];
/** What is nearly empty lies near to everything else that is: there only the same vector is a copy. */
const sameShare = 1e-3;
const evidenceMax = 3;

/**
 * Names the attack that a flagged update looks like. Two patterns are what they are by definition: next to nothing (free
 * rider) and the same as another (copies). The others are told by likeness to attacks of calibration, and what is like
 * none of them is `unknown`.
 *
 * Formula:   argmin_p mean_k |s_k − p_k| over prototypes p, s the signature cut at ±2.5; unknown beyond the radius of p's label.
 * Shapes:    n observations, places of the flagged → one pattern for each place.
 * Promises:  none: a likeness is no proof, and an attacker that knows the prototypes can look like another. The table by
 *            attack is in docs/explanation/detection.md.
 * Cost:      O(P K) for each flagged client, over P prototypes; nothing for the others.
 */
export function recognise(observations: readonly Observation[], flagged: readonly number[]): Pattern[] {
  if (flagged.length === 0) return [];
  const signatures = signaturesOf(observations);
  return flagged.map((i) => {
    const { norm, nearest = Number.NaN } = observations[i]!;
    if (!Number.isFinite(norm)) {
      return { label: 'broken-values', evidence: ['it holds a value that is not a finite number'] };
    }
    if (norm > 0 && isCopy(signatures[i]!, nearest / norm)) {
      const told = Number(((100 * nearest) / norm).toPrecision(2));
      return { label: 'copies', evidence: [`another update differs from it by ${told} % of its length`] };
    }
    return patternOf(signatures[i]!, known());
  });
}

function isCopy(signature: Float64Array, ofOwnLength: number): boolean {
  if (signature[lengthAt]! <= log(emptyShare)) return ofOwnLength <= sameShare;
  return ofOwnLength <= copyShare || signature[likenessAt]! <= log(copyOfUsual);
}

/** What a signature looks like, by a table. */
export function patternOf(signature: Float64Array, { table, points }: Known): Pattern {
  if (signature[lengthAt]! <= log(emptyShare)) {
    return { label: 'free-rider', evidence: [saysOf(lengthAt, signature[lengthAt]!)] };
  }
  const cut = signature.map((value) => Math.max(-signatureMax, Math.min(signatureMax, value)));
  let [nearest, distance] = [-1, Number.POSITIVE_INFINITY];
  for (const [p, point] of points.entries()) {
    const apart = distanceOf(cut, point);
    if (apart < distance) [nearest, distance] = [p, apart];
  }
  const label = table.labels[nearest];
  const shared = label === undefined ? [] : strongest(signature, cut, points[nearest]!);
  // No label without evidence: what stands out in nothing is like no attack.
  if (label === undefined || shared.length === 0 || distance > (table.radii[label] ?? 0)) {
    return { label: 'unknown', evidence: strongest(signature, cut) };
  }
  return { label, evidence: shared };
}

/** The distance of two signatures. */
export function distanceOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += Math.abs(a[k]! - b[k]!);
  return sum / a.length;
}

export type Known = { readonly table: PatternTable; readonly points: readonly Float64Array[] };

let committed: Known | undefined;

function known(): Known {
  committed ??= { table: patternTable, points: readPoints(patternTable.points, signatureLength) };
  return committed;
}

/** What stands out most, and where a prototype is given, what stands out in it too, the same way. */
function strongest(signature: Float64Array, cut: Float64Array, prototype: ArrayLike<number> = cut): string[] {
  return (
    [...cut.entries()]
      .map(([k, value]) => ({ k, strength: Math.min(Math.abs(value), prototype[k]! * Math.sign(value)) }))
      // To point where the aggregate points is nothing to hold against anybody.
      .filter(({ k, strength }) => strength >= evidenceLeast && (k !== directionAt || cut[k]! < 0))
      .sort((a, b) => b.strength - a.strength || a.k - b.k)
      .slice(0, evidenceMax)
      .map(({ k }) => saysOf(k, signature[k]!))
  );
}

/** In units of a signature: two robust deviations. */
const evidenceLeast = 0.5;
