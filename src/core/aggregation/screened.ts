import { z } from 'zod';
import type { Mixing } from '../../ports/compute.ts';
import { clipScale } from './centered-clipping.ts';
import { krumProvenMax, krumScores } from './krum.ts';
import { rowWeights } from './mixing.ts';
import { ascending, averageOf, byzantine, define, medianOf, minority } from './rule.ts';
import type { Span } from './span.ts';

/**
 * Screened mean: lets evidence decide how much robustness a round needs.
 *
 * Formula:   1. A row longer than max(`gate`, e^(`gateSpread` · deviation of ln ‖x‖)) median lengths is left out (at most f).
 *            2. Rows nearer to one another than `copyShare` of the usual distance to the nearest, and of their own lengths
 *               (clients that have learnt all they can send little, and so lie near together), are one voice: their
 *               mean counts once, and f′ is f less the copies.
 *            3. The largest group of three to f′ voices that sing in unison (the sum of their directions is `unison` of
 *               their number) against the sum of the rest is one voice too.
 *            4. Where the lengths of the voices agree (1.4826 MAD of ln ‖x‖ below `evenSpread`) their data are alike and an
 *               outlier is a liar: Multi-Krum with f′. Where they do not, an outlier is as likely a client with rare data:
 *               the mean of x_i min(1, `clip` · median/‖x_i‖).
 * Shapes:    Gram [n, n] → weights [n].
 * Needs:     n ≥ 2f + 1.
 * Promises:  where lengths differ the result is no longer than `clip` median lengths, and f rows cannot move that median
 *            beyond the honest lengths; where they agree, Multi-Krum's bound. What many send alike counts as one, so
 *            honest clients with the same rare data lose weight, and never their voice. No sensitivity bound: no DP
 *            release. Liars that differ from one another and keep to usual lengths pass where data differ.
 * Cost:      O(n² log n) after the Gram pass.
 * Source:    ours; thresholds were set on seeds from 100 (docs/explanation/robustness-evidence.md). Counting those who
 *            speak alike as one is the idea of Fung et al. 2020, arXiv:1808.04866.
 */
export const screened = define(
  z.strictObject({
    rule: z.literal('screened'),
    ...byzantine,
    gate: z.number().min(1).default(3),
    copyShare: z.number().min(0).max(1).default(0.1),
    unison: z.number().min(0).default(0.95),
    gateSpread: z.number().min(0).default(2.5),
    evenSpread: z.number().min(0).default(0.18),
    clip: z.number().positive().default(1),
  }),
  {
    kind: 'weights',
    needs: () => 'gram',
    provenMax: minority,
    range: 'n ≥ 2f + 1',
    weigh(span, { gate, gateSpread, copyShare, unison, evenSpread, clip }, { f }) {
      const n = span.count;
      const kept = withinGate(span, { gate, gateSpread, f });
      const single = voicesOf(span, kept, copyShare);
      const left = Math.max(0, f - (kept.length - single.length));
      const choir = choirOf(span.mix(meansOf(single, n)), unison, left);
      const voices = withChoir(single, choir);
      const spread = logSpread(normsOf(span.mix(meansOf(voices, n))));
      const isEven = spread < evenSpread;
      const mixing = meansOf(voices, n);
      const points = span.mix(mixing);
      const weights = isEven ? krumWeights(points, left) : clippedWeights(normsOf(points), clip);
      const leftOut = Array.from({ length: n }, (_, i) => i).filter((i) => !kept.includes(i));
      const copies = voices.filter((voice) => voice.length > 1);
      return {
        weights: rowWeights(weights, mixing, n),
        findings: {
          leftOut,
          copies,
          choir: choir.map((a) => single[a]!).flat(),
          spread,
          chosen: isEven ? 'multi-krum' : 'clipped mean',
          f: left,
        },
      };
    },
  },
);

/** All rows but the longest ones beyond the gate, of which there are at most f. */
function withinGate(
  span: Span,
  { gate, gateSpread, f }: { readonly gate: number; readonly gateSpread: number; readonly f: number },
): number[] {
  const norms = normsOf(span);
  const limit = Math.max(gate, Math.exp(gateSpread * logSpread(norms))) * medianOf(norms);
  const longest = new Set(ascending(span.count, (i) => -norms[i]!).slice(0, f));
  return [...norms.keys()].filter((i) => !(longest.has(i) && norms[i]! > limit));
}

/** Groups of rows that are nearly the same, each in ascending order; most rows are alone. */
function voicesOf(span: Span, rows: readonly number[], copyShare: number): readonly (readonly number[])[] {
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

/**
 * The largest group of three to f points that point the same way, against what the rest say together; empty when there
 * is none. Honest clients with the same data may sing in unison too, and cost nothing but their weight.
 */
function choirOf(points: Span, unison: number, f: number): readonly number[] {
  const n = points.count;
  const norms = Float64Array.from({ length: n }, (_, a) => Math.max(points.norm(a), Number.MIN_VALUE));
  const cosine = (a: number, b: number) => (a === b ? 1 : points.dot(a, b) / (norms[a]! * norms[b]!));
  const total = (from: readonly number[], to: readonly number[]) =>
    from.reduce((sum, a) => sum + to.reduce((inner, b) => inner + cosine(a, b), 0), 0);
  const nearest = Array.from({ length: n }, (_, a) => ascending(n, (b) => (a === b ? -2 : -cosine(a, b))));
  for (let size = Math.min(f, n - 1); size >= 3; size--) {
    const groups = nearest.map((order) => order.slice(0, size).sort((a, b) => a - b));
    const lengths = groups.map((group) => Math.sqrt(Math.max(0, total(group, group))));
    const best = ascending(n, (a) => -lengths[a]!)[0]!;
    const group = groups[best]!;
    if (lengths[best]! < unison * size) continue;
    const rest = Array.from({ length: n }, (_, a) => a).filter((a) => !group.includes(a));
    const restLength = Math.sqrt(Math.max(0, total(rest, rest)));
    if (total(group, rest) < -oppositionMin * lengths[best]! * restLength) return group;
  }
  return [];
}

function normsOf(points: Span): number[] {
  return Array.from({ length: points.count }, (_, a) => points.norm(a));
}

/** The voices with those of the choir joined into one. */
function withChoir(voices: readonly (readonly number[])[], choir: readonly number[]): readonly (readonly number[])[] {
  if (choir.length === 0) return voices;
  return [...voices.filter((_, a) => !choir.includes(a)), choir.flatMap((a) => voices[a]!)];
}

function meansOf(voices: readonly (readonly number[])[], n: number): Mixing {
  const matrix = new Float64Array(voices.length * n);
  for (const [a, voice] of voices.entries()) for (const i of voice) matrix[a * n + i] = 1 / voice.length;
  return { count: voices.length, matrix };
}

/** The robust deviation of the logarithms of lengths: how much the clients' data differ, as a share. */
function logSpread(norms: readonly number[]): number {
  const logs = norms.map((norm) => Math.log(Math.max(norm, Number.MIN_VALUE)));
  const centre = medianOf(logs);
  return 1.4826 * medianOf(logs.map((value) => Math.abs(value - centre)));
}

/** Multi-Krum with as many liars as its proof covers. */
function krumWeights(points: Span, f: number): Float64Array {
  const count = points.count;
  const assumed = Math.max(0, Math.min(f, krumProvenMax(count)));
  if (assumed === 0) return averageOf([...Array(count).keys()], count);
  const scores = krumScores(points, assumed);
  const best = ascending(count, (a) => scores[a]!).slice(0, count - assumed);
  return averageOf(best, count);
}

function clippedWeights(norms: readonly number[], clip: number): Float64Array {
  const limit = clip * medianOf(norms);
  return Float64Array.from(norms, (norm) => clipScale(norm, limit) / norms.length);
}
