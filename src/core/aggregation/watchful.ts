import { z } from 'zod';
import { clipScale } from './centered-clipping.ts';
import { rowWeights } from './mixing.ts';
import type { Answers } from './recall.ts';
import { ascending, byzantine, define, medianOf, minority } from './rule.ts';
import { choirOf, krumWeights, logSpread, meansOf, normsOf, voicesOf, withChoir, withinGate } from './voices.ts';

/**
 * Watchful mean: the plain mean of everybody against whom nothing speaks.
 *
 * Formula:   1. Rows whose answer to the way of the model is below −`opposed` (`recall`) are left out: at most f, the most
 *               contrary first. So are those who have turned since: whose recent answer is `turned` below zero, or below the
 *               median of recent answers where that is negative.
 *            2. Of the rest, a row longer than max(`gate`, e^(s · deviation of ln ‖x‖)) median lengths is left out, at
 *               most f with those before; s is `gateSpread`, and `gateSpreadKnown` once most clients are known.
 *            3. Rows nearer to one another than `copyShare` of the usual distance to the nearest, and of their own lengths,
 *               are one voice, and so is the largest group of a sixth of the voices or more that sings in unison (the sum
 *               of their directions is `unison` of their number) against the rest, and against them alike (the mean
 *               opposition is `evenness` of the largest: honest clients with the same rare data have a few rivals). A voice of
 *               several, and one that is not known yet, is clipped to the median length; any other to `slack` times the
 *               (f′ + 1)-th longest voice, f′ the liars not found: so an unseen liar is no longer than that many times an
 *               honest one. With `suspect`, whoever's recent answer is farther than that below zero, or below the median
 *               of recent answers where that is negative, is clipped to the median length as well.
 *            4. The mean of the voices. Where hardly anybody is known yet and lengths agree (deviation of ln ‖x‖ below
 *               `evenSpread`): Multi-Krum, as an outlier among alike data is a liar.
 * Shapes:    Gram [n, n] and answers [n] → weights [n].
 * Needs:     n ≥ 2f + 1, and three rows. Answers need `clientIds`, `base` and `memory` in the context, and 16
 *            participations (recent ones 4); without them the rule is a screened mean with its clip at one median length.
 * Promises:  no voice is longer than the gate, nor than `slack` honest lengths. Who keeps to usual lengths, differs from the
 *            others and turns no gradient around passes. No sensitivity bound: no DP release.
 * Cost:      O(n² log n) after the Gram pass, and one reading of the data for the answers.
 * Source:    ours; thresholds were set on seeds from 100 (docs/explanation/robustness-evidence.md).
 */
export const watchful = define(
  z.strictObject({
    rule: z.literal('watchful'),
    ...byzantine,
    opposed: z.number().min(0).max(1).default(0.1),
    gate: z.number().min(1).default(3),
    gateSpread: z.number().min(0).default(2.5),
    gateSpreadKnown: z.number().min(0).default(5),
    copyShare: z.number().min(0).max(1).default(0.1),
    unison: z.number().min(0).default(0.978),
    evenness: z.number().min(0).max(1).default(0.25),
    evenSpread: z.number().min(0).default(0.18),
    slack: z.number().min(1).default(2),
    turned: z.number().min(0).max(1).default(0.25),
    suspect: z.number().min(0).max(1).optional(),
  }),
  {
    kind: 'weights',
    needs: () => 'gram',
    remembers: true,
    // Of two, nobody can say which one lies.
    provenMax: (n) => (n < 3 ? -1 : minority(n)),
    range: 'n ≥ 2f + 1 and n ≥ 3',
    weigh(span, options, { f, answers }) {
      const n = span.count;
      const isKnown = (i: number): boolean => answers !== null && !Number.isNaN(answers.lasting[i]!);
      const all = Array.from({ length: n }, (_, i) => i);
      const contrary = answers === null ? [] : contraryOf(answers, options, f);
      const heard = all.filter((i) => !contrary.includes(i));
      const isSeasoned = 2 * heard.filter(isKnown).length > heard.length;
      const gateSpread = isSeasoned ? options.gateSpreadKnown : options.gateSpread;
      const unseen = f - contrary.length;
      const kept = withinGate(span, heard, { gate: options.gate, gateSpread, f: unseen });

      const single = voicesOf(span, kept, options.copyShare);
      const left = Math.max(0, unseen - (kept.length - single.length));
      const least = Math.max(3, Math.ceil(single.length / 6));
      const { unison, evenness } = options;
      const choir = choirOf(span.mix(meansOf(single, n)), { unison, least, most: left, evenness });
      const voices = withChoir(single, choir);
      const mixing = meansOf(voices, n);
      const points = span.mix(mixing);
      const norms = normsOf(points);
      const isEven = !isSeasoned && logSpread(norms) < options.evenSpread;
      const usual = medianOf(norms);
      const longest = options.slack * (norms.toSorted((a, b) => b - a)[left] ?? usual);
      const suspects = answers === null ? [] : kept.filter((i) => suspicion(answers, i) > (options.suspect ?? 1));
      const scales = voices.map((voice, a) => {
        const isTrusted = isSeasoned && voice.length === 1 && isKnown(voice[0]!) && !suspects.includes(voice[0]!);
        return clipScale(norms[a]!, isTrusted ? Math.max(usual, longest) : usual);
      });
      const weights = isEven ? krumWeights(points, left) : Float64Array.from(scales, (scale) => scale / voices.length);
      return {
        weights: rowWeights(weights, mixing, n),
        findings: {
          contrary,
          leftOut: heard.filter((i) => !kept.includes(i)),
          copies: single.filter((voice) => voice.length > 1),
          choir: choir.flatMap((a) => single[a]!),
          suspects,
          chosen: isEven ? 'multi-krum' : isSeasoned ? 'mean' : 'clipped mean',
        },
      };
    },
  },
);

/** The most contrary rows, at most f of those whose answers say so. */
function contraryOf(
  { lasting, recent }: Answers,
  { opposed, turned }: { readonly opposed: number; readonly turned: number },
  f: number,
): readonly number[] {
  const excess = (answer: number, limit: number) => (Number.isNaN(answer) ? Number.NEGATIVE_INFINITY : -answer - limit);
  const usual = usualOf(recent);
  const against = (i: number) => Math.max(excess(lasting[i]!, opposed), excess(recent[i]! - usual, turned));
  const order = ascending(lasting.length, (i) => -against(i));
  return order.slice(0, f).filter((i) => against(i) > 0);
}

/** How far a row's recent answer is below the others'; NaN before it has one. */
function suspicion({ recent }: Answers, i: number): number {
  return usualOf(recent) - recent[i]!;
}

/** The median of recent answers where that is negative, else 0. */
function usualOf(recent: Float64Array): number {
  const known = recent.filter((answer) => !Number.isNaN(answer));
  return known.length === 0 ? 0 : Math.min(0, medianOf(known));
}
