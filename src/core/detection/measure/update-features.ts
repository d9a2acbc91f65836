import { log } from '../../numerics/portable.ts';
import type { Row, Vector } from '../../../ports/compute.ts';
import { medianOf } from '../../aggregation/rule.ts';
import { type Features, productFeatures, type Products, unmeasured } from './features.ts';
import { lbfgsProduct } from './lbfgs.ts';
import { cosineOf, dotOf, minus } from './sketch.ts';
import { type Statistics, statisticsOf } from './statistics-pass.ts';

/** What is remembered of a round for those who take part in later ones: sketches of the model and of the aggregate. */
export type RoundSketch = { readonly model: Float32Array; readonly aggregate: Float32Array };

/** A client's last participation. */
export type LastUpdate = { readonly update: Float32Array; readonly model: Float32Array };

export type MeasureInput = {
  readonly rows: readonly Row[];
  readonly products: Products;
  /** Cosines to the aggregate. */
  readonly cosines: ArrayLike<number>;
  readonly aggregate: Vector;
  /** The aggregate of the round before. */
  readonly reference: Row;
  /** The model that the updates were made from. */
  readonly base: Row;
  /** Lengths of the layers, in order. */
  readonly layers: readonly number[];
  /** Of the sketches. */
  readonly seed: number;
  /** By row; null for a client that is seen for the first time. */
  readonly last: readonly (LastUpdate | null)[];
  /** Earlier rounds, oldest first: what the prediction learns the curvature from. */
  readonly rounds: readonly RoundSketch[];
  /** What each update does to the loss on the root set, where the plan gives one. */
  readonly rootEffects?: ArrayLike<number> | null;
};

export type Measured = {
  readonly features: readonly Features[];
  readonly sketches: readonly Float32Array[];
  readonly round: RoundSketch;
};

/**
 * Measures the updates of a round: products from the Gram pass, one statistics pass, and sketches for what needs
 * earlier rounds.
 *
 * Formula:   repeat: cos(x_t, x_s), s the client's last participation. curvature: cos(x_t − x_s, w_t − w_s): an honest
 *            update pulls back what the model did, so it is below zero wherever the loss is convex along the way, however
 *            the client's data differ; a flipped one pushes on. prediction: ln ‖x_t − (x_s − B (w_t − w_s))‖, B by L-BFGS.
 *            layers: ln of the mean share ratio, ½ Σ |p_l − m_l| of shares of squared length, m their medians.
 *            balance: ln(10⁻⁴ + max_l |Σ x_l| / (√d_l ‖x_l‖)) over layers where that is nearly zero in most updates: the
 *            gradient of a softmax sums to zero over classes, whatever the data.
 * Shapes:    n rows of d → n features and n sketches.
 */
export async function measureUpdates(input: MeasureInput): Promise<Measured> {
  const { rows, products, aggregate, reference, base, cosines, layers, seed } = input;
  const statistics = await statisticsOf([...rows, aggregate, reference, base], {
    layers,
    aggregate,
    seed,
  });
  const [ofAggregate, ofReference, ofBase] = statistics.slice(rows.length).map(({ sketch }) => sketch);
  const own = statistics.slice(0, rows.length);
  const fromProducts = productFeatures(products);
  const unevenness = layerFeatures(own);
  const balances = balanceFeatures(own, layers);
  const temporal = createTemporal(ofBase!, input.rounds);
  const features = own.map((one, i): Features => {
    const norm = Math.sqrt(one.layerNorms2.reduce((sum, value) => sum + value, 0));
    const nonZero = Math.max(1, one.positives + one.negatives);
    return {
      ...unmeasured,
      ...fromProducts[i]!,
      ...temporal(one.sketch, input.last[i] ?? null),
      norm: log(Math.max(norm, 1e-30)),
      cosine: cosines[i]!,
      reference: cosineOf(one.sketch, ofReference!),
      positive: one.positives / nonZero,
      agreement: one.agreements / nonZero,
      support: 1 - (one.positives + one.negatives) / rows[i]!.length,
      flatness: norm > 0 ? log(one.norm1 / (Math.sqrt(rows[i]!.length) * norm)) : 0,
      layers: unevenness[i]!,
      balance: balances[i]!,
      root: input.rootEffects?.[i] ?? Number.NaN,
    };
  });
  return {
    features,
    sketches: own.map(({ sketch }) => sketch),
    round: { model: ofBase!, aggregate: ofAggregate! },
  };
}

function layerFeatures(statistics: readonly Statistics[]): number[] {
  const shares = statistics.map(({ layerNorms2 }) => {
    const total = layerNorms2.reduce((sum, value) => sum + value, 0);
    return layerNorms2.map((value) => (total > 0 ? value / total : 0));
  });
  const usual = shares[0]?.map((_, l) => medianOf(shares.map((row) => row[l]!))) ?? new Float64Array();
  return shares.map((row) => {
    const apart = row.reduce((sum, share, l) => sum + Math.abs(share - usual[l]!), 0) / 2;
    return log(apart + 1e-3);
  });
}

/** A layer counts as balanced where half of the clients leave less than this. */
const balancedBelow = 1e-3;

/** By row: how far the sums of those layers are from zero that are balanced in most updates; NaN where none is. */
function balanceFeatures(statistics: readonly Statistics[], layers: readonly number[]): number[] {
  const shares = statistics.map(({ layerSums, layerNorms2 }) =>
    layers.map((length, l) => {
      const norm = Math.sqrt(length * layerNorms2[l]!);
      return norm > 0 ? Math.abs(layerSums[l]!) / norm : 0;
    }),
  );
  const balanced = layers.flatMap((_, l) => (medianOf(shares.map((row) => row[l]!)) < balancedBelow ? [l] : []));
  if (balanced.length === 0) return shares.map(() => Number.NaN);
  return shares.map((row) => log(balancedBelow / 10 + Math.max(...balanced.map((l) => row[l]!))));
}

/** What depends on earlier rounds; the curvature that the prediction learns from is the same for clients that come from the same round. */
function createTemporal(model: Float32Array, rounds: readonly RoundSketch[]) {
  const steps = rounds.slice(1).map((round, t) => minus(round.model, rounds[t]!.model));
  // A gradient is an update turned round.
  const changes = rounds.slice(1).map((round, t) => minus(rounds[t]!.aggregate, round.aggregate));
  const answers = new Map<Float32Array, { step: Float64Array; turned: Float64Array | null }>();

  function answerTo(last: Float32Array): { step: Float64Array; turned: Float64Array | null } {
    const known = answers.get(last);
    if (known !== undefined) return known;
    const step = minus(model, last);
    const answer = { step, turned: lbfgsProduct(steps, changes, step) };
    answers.set(last, answer);
    return answer;
  }

  return (sketch: Float32Array, last: LastUpdate | null): Pick<Features, 'repeat' | 'curvature' | 'prediction'> => {
    if (last === null) return unmeasured;
    const { step, turned } = answerTo(last.model);
    const change = minus(sketch, last.update);
    const missed = turned === null ? change : change.map((value, k) => value + turned[k]!);
    return {
      repeat: cosineOf(sketch, last.update),
      curvature: cosineOf(change, step),
      prediction: log(Math.sqrt(dotOf(missed, missed)) + 1e-30),
    };
  };
}
