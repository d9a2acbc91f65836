import type { Pipeline } from './pipeline.ts';
import { parsePipeline } from './pipeline.ts';

declare const proof: unique symbol;

/** Which neighbour the bound speaks of: one client more or less, or one client's rows changed. */
export type Adjacency = 'add-remove' | 'replace';

/**
 * A pipeline with a proven L2 sensitivity: the only kind that may be released with noise. It can be made by
 * `boundedAggregator` alone; a pipeline without a proof has no way to this type.
 */
export type BoundedAggregator = {
  readonly [proof]: 'sensitivityL2';
  readonly pipeline: Pipeline;
  readonly radius: number;
  readonly expectedCount: number;
  /** Whether rows are clipped around a public reference, and not around 0. */
  readonly isCentred: boolean;
  /** How far one client can move the output. */
  sensitivityL2(adjacency: Adjacency): number;
};

/** Why a pipeline has no bound, and the nearest one that has. */
export type Unbounded = { readonly ok: false; readonly reason: string; readonly nearest: Pipeline };

/**
 * Proves a sensitivity for `[clipping, mean]` and for `[centered-clipping]` with one iteration and a fixed radius;
 * refuses everything else.
 *
 * Formula:   v = r + (1/n̄) Σ clip(x_i − r, τ) with n̄ = `expectedCount` fixed: adding or removing a client moves v by
 *            at most τ/n̄, replacing one by at most 2τ/n̄. The mean of clipped rows is the case r = 0.
 * Needs:     the reference r is public (the last released output), and n̄ does not depend on who takes part.
 * Promises:  the bound in real arithmetic; float32 adds about 10⁻⁷ of it.
 * Source:    Karimireddy et al. 2021, arXiv:2012.10333; the bound is the triangle inequality.
 */
export function boundedAggregator(
  pipeline: Pipeline,
  expectedCount: number,
): { readonly ok: true; readonly value: BoundedAggregator } | Unbounded {
  const [first, second] = parsePipeline(pipeline).map(({ options }) => options as Readonly<Record<string, unknown>>);
  const length = pipeline.length;
  if (first?.['rule'] === 'clipping' && second?.['rule'] === 'mean' && length === 2) {
    const radius = first['radius'] as number;
    return bounded(
      [
        { rule: 'clipping', radius },
        { rule: 'mean', expectedCount },
      ],
      radius,
      expectedCount,
    );
  }
  if (first?.['rule'] === 'centered-clipping' && length === 1) return boundedCentred(first, expectedCount);
  const nearest: Pipeline = [{ rule: 'centered-clipping', radius: 1, expectedCount }];
  return { ok: false, reason: `${pipeline.map(({ rule }) => rule).join(' → ')} has no proven sensitivity`, nearest };
}

function boundedCentred(
  options: Readonly<Record<string, unknown>>,
  expectedCount: number,
): ReturnType<typeof boundedAggregator> {
  const { radius, iterations } = options;
  const fixed = typeof radius === 'number' ? radius : 1;
  const pipeline: Pipeline = [{ rule: 'centered-clipping', radius: fixed, iterations: 1, expectedCount }];
  if (iterations !== 1) {
    return {
      ok: false,
      reason: 'each further iteration reads the data again, and only one is accounted for',
      nearest: pipeline,
    };
  }
  if (typeof radius !== 'number') {
    return { ok: false, reason: 'an automatic radius depends on the cohort', nearest: pipeline };
  }
  return bounded(pipeline, radius, expectedCount);
}

/** The same proof at another radius: for a clip norm that changes from round to round. */
export function withRadius(aggregator: BoundedAggregator, radius: number): BoundedAggregator {
  if (!(radius > 0) || !Number.isFinite(radius)) {
    throw new RangeError(`Cannot bound an aggregator as its radius must be above 0: current value is ${radius}`);
  }
  const pipeline = aggregator.pipeline.map((step) => ('radius' in step ? { ...step, radius } : step)) as Pipeline;
  return bounded(pipeline, radius, aggregator.expectedCount).value;
}

function bounded(pipeline: Pipeline, radius: number, expectedCount: number): { ok: true; value: BoundedAggregator } {
  if (!Number.isInteger(expectedCount) || expectedCount < 1) {
    throw new RangeError(
      `Cannot bound an aggregator as expectedCount must be an integer ≥ 1: current value is ${expectedCount}`,
    );
  }
  const value = {
    pipeline,
    radius,
    expectedCount,
    isCentred: pipeline[0]?.rule === 'centered-clipping',
    sensitivityL2: (adjacency: Adjacency) => ((adjacency === 'replace' ? 2 : 1) * radius) / expectedCount,
  };
  return { ok: true, value: value as BoundedAggregator };
}
