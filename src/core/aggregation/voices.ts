import type { Mixing } from '../../ports/compute.ts';
import { krumProvenMax, krumScores } from './krum.ts';
import { ascending, averageOf, medianOf } from './rule.ts';
import type { Span } from './span.ts';

// What the rules that weigh evidence have in common: who is far too long, and who says the same as others.

/**
 * All of these rows but the longest ones beyond the gate, of which there are at most f. The gate is max(`gate`,
 * e^(`gateSpread` · deviation of ln ‖x‖)) median lengths.
 */
export function withinGate(
  span: Span,
  rows: readonly number[],
  { gate, gateSpread, f }: { readonly gate: number; readonly gateSpread: number; readonly f: number },
): number[] {
  const norms = rows.map((i) => span.norm(i));
  const limit = Math.max(gate, Math.exp(gateSpread * logSpread(norms))) * medianOf(norms);
  const longest = new Set(ascending(rows.length, (a) => -norms[a]!).slice(0, f));
  return rows.filter((_, a) => !(longest.has(a) && norms[a]! > limit));
}

/** Groups of rows that are nearly the same, each in ascending order; most rows are alone. */
export function voicesOf(span: Span, rows: readonly number[], copyShare: number): readonly (readonly number[])[] {
  const apart = (i: number, j: number) => Math.sqrt(span.distance2(i, j));
  const nearest = rows.map((i) => Math.min(...rows.flatMap((j) => (j === i ? [] : [apart(i, j)]))));
  const usual = rows.length < 3 ? 0 : medianOf(nearest);
  const voices: number[][] = [];
  for (const i of rows) {
    const near = (j: number) => apart(i, j) < copyShare * Math.min(usual, span.norm(i), span.norm(j));
    const home = voices.find((voice) => voice.some(near));
    if (home === undefined) voices.push([i]);
    else home.push(i);
  }
  return voices;
}

/** How much of the length of the rest the sum of a choir must point against it. */
const oppositionMin = 0.3;

/** What makes a group of points a choir. */
type Choir = {
  /** The sum of their directions is this share of their number. */
  readonly unison: number;
  /** So many of them at least, and at most. */
  readonly least: number;
  readonly most: number;
  /** The mean opposition to the others is this share of the largest one, at least. */
  readonly evenness: number;
};

/**
 * The largest group of `least` to `most` points that point the same way, against what the rest say together; empty when
 * there is none. Honest clients with the same rare data sing in unison too, against few rivals and not against everybody.
 */
export function choirOf(points: Span, { unison, least, most, evenness }: Choir): readonly number[] {
  const n = points.count;
  const norms = Float64Array.from({ length: n }, (_, a) => Math.max(points.norm(a), Number.MIN_VALUE));
  const cosine = (a: number, b: number) => (a === b ? 1 : points.dot(a, b) / (norms[a]! * norms[b]!));
  const total = (from: readonly number[], to: readonly number[]) =>
    from.reduce((sum, a) => sum + to.reduce((inner, b) => inner + cosine(a, b), 0), 0);
  const nearest = Array.from({ length: n }, (_, a) => ascending(n, (b) => (a === b ? -2 : -cosine(a, b))));
  for (let size = Math.min(most, n - 1); size >= least; size--) {
    const groups = nearest.map((order) => order.slice(0, size).sort((a, b) => a - b));
    const lengths = groups.map((group) => Math.sqrt(Math.max(0, total(group, group))));
    const best = ascending(n, (a) => -lengths[a]!)[0]!;
    const group = groups[best]!;
    if (lengths[best]! < unison * size) continue;
    const rest = Array.from({ length: n }, (_, a) => a).filter((a) => !group.includes(a));
    const restLength = Math.sqrt(Math.max(0, total(rest, rest)));
    const against = rest.map((a) => -total(group, [a]));
    if (evenness * Math.max(...against) * rest.length > -total(group, rest)) continue;
    if (total(group, rest) < -oppositionMin * lengths[best]! * restLength) return group;
  }
  return [];
}

/** The length ‖x_a‖ of each point, in their order. */
export function normsOf(points: Span): number[] {
  return Array.from({ length: points.count }, (_, a) => points.norm(a));
}

/** The voices with those of the choir joined into one. */
export function withChoir(
  voices: readonly (readonly number[])[],
  choir: readonly number[],
): readonly (readonly number[])[] {
  if (choir.length === 0) return voices;
  return [...voices.filter((_, a) => !choir.includes(a)), choir.flatMap((a) => voices[a]!)];
}

/** The mixing that gives the mean of each group of rows, out of n. */
export function meansOf(voices: readonly (readonly number[])[], n: number): Mixing {
  const matrix = new Float64Array(voices.length * n);
  for (const [a, voice] of voices.entries()) for (const i of voice) matrix[a * n + i] = 1 / voice.length;
  return { count: voices.length, matrix };
}

/** The robust deviation of the logarithms of lengths: how much the clients' data differ, as a share. */
export function logSpread(norms: readonly number[]): number {
  const logs = norms.map((norm) => Math.log(Math.max(norm, Number.MIN_VALUE)));
  const centre = medianOf(logs);
  return 1.4826 * medianOf(logs.map((value) => Math.abs(value - centre)));
}

/** Multi-Krum with as many liars as its proof covers. */
export function krumWeights(points: Span, f: number): Float64Array {
  const count = points.count;
  const assumed = Math.max(0, Math.min(f, krumProvenMax(count)));
  if (assumed === 0) return averageOf([...Array(count).keys()], count);
  const scores = krumScores(points, assumed);
  const best = ascending(count, (a) => scores[a]!).slice(0, count - assumed);
  return averageOf(best, count);
}
