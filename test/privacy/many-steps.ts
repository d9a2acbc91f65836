import assert from 'node:assert/strict';
import { epsilon, type EpsilonInput, type ScheduleStep } from '../../src/core/privacy/index.ts';
import { type Kind, logDelta, momentOf, outcomesOf } from './inverted-delta.ts';

/** A schedule, and the same as kinds of steps whose transforms are known: one list for each direction. */
export type Point = {
  readonly name: string;
  readonly schedule: readonly ScheduleStep[];
  readonly delta: number;
  readonly adjacency?: EpsilonInput['adjacency'];
  readonly directions: readonly (readonly Kind[])[];
};

export type Sampled = readonly [noiseMultiplier: number, sampleRate: number, steps: number];

/**
 * Poisson-sampled Gaussians of several kinds. The outcomes' steps must resolve e^{iuL} as long as the transform counts: the
 * fewer noisy releases a record is in, the finer.
 */
export function gaussianPoint(
  delta: number,
  rows: readonly Sampled[],
  { adjacency, fineness = 16 }: { readonly adjacency?: EpsilonInput['adjacency']; readonly fineness?: number } = {},
): Point {
  const directions = [0, 1].map((direction) =>
    rows.map(([sigma, q, steps]): Kind => {
      const at = (mean: number) => (x: number) =>
        Math.exp(-((x - mean) ** 2) / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI));
      const mixed = (mean: number) => (x: number) => (1 - q) * at(0)(x) + q * at(mean)(x);
      const pair = [mixed(1), adjacency === 'replace-one' ? mixed(-1) : at(0)] as const;
      const grid = { from: -14 * sigma - 1, to: 14 * sigma + 13, step: sigma / fineness };
      return { steps, logMoment: momentOf(outcomesOf(pair[direction]!, pair[1 - direction]!, grid)) };
    }),
  );
  const schedule = rows.map(([noiseMultiplier, sampleRate, steps]) => ({ noiseMultiplier, sampleRate, steps }));
  const name = `Gaussians ${JSON.stringify(rows)}, δ ${delta}, ${adjacency ?? 'add-or-remove-one'}`;
  return { name, schedule, delta, directions, ...(adjacency === undefined ? {} : { adjacency }) };
}

/** Laplace noise of scale b, sampled: outcomes beyond 0 and 1 are one each, those between are taken at Gauss's points. */
export function laplacePoint(delta: number, [b, q, steps]: Sampled): Point {
  const cell = (mean: number, from: number, to: number) => {
    const cdf = (x: number) => (x < mean ? Math.exp((x - mean) / b) / 2 : 1 - Math.exp((mean - x) / b) / 2);
    return cdf(to) - cdf(from);
  };
  const count = 4000;
  const edges = [-Infinity, ...Array.from({ length: count + 1 }, (_, i) => i / count), Infinity];
  const outcomes = edges.slice(1).map((to, i) => {
    const still = cell(0, edges[i]!, to);
    return { upper: (1 - q) * still + q * cell(1, edges[i]!, to), lower: still };
  });
  const kind = (isRemove: boolean): Kind => ({
    steps,
    logMoment: momentOf(
      outcomes.map(({ upper, lower }) => ({
        weight: isRemove ? upper : lower,
        loss: Math.log(upper / lower) * (isRemove ? 1 : -1),
      })),
    ),
  });
  return {
    name: `Laplace b ${b}, q ${q}, T ${steps}, δ ${delta}`,
    schedule: [{ mechanism: 'laplace', noiseMultiplier: b, sampleRate: q, steps }],
    delta,
    directions: [[kind(true)], [kind(false)]],
  };
}

/** PLD's ε is not below the truth, and `over` above it at most. */
export function checkPoint({ name, schedule, delta, adjacency, directions }: Point, over = 1e-3): void {
  const { pld } = epsilon({ schedule, delta, ...(adjacency === undefined ? {} : { adjacency }) });
  const log = (eps: number) => Math.max(...directions.map((kinds) => logDelta(kinds, eps)));
  const [at, below] = [log(pld), log(pld - over)];
  // Rounding in T exponents: 1e-9 of δ.
  assert.ok(at <= Math.log(delta) + 1e-9, `${name}: δ(${pld}) is ${Math.exp(at)}`);
  assert.ok(below > Math.log(delta), `${name}: ${pld} is more than ${over} above the truth`);
}
