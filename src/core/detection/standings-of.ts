import type { Observation } from './detector.ts';
import { standings } from './measure/standing.ts';

const known = new WeakMap<readonly Observation[], Map<number, readonly Float64Array[]>>();

/**
 * Where the observed clients stand over their last `horizon` participations. Every detector asks for it: it is worked
 * out once for the same observations.
 *
 * Shapes:    n observations → n × features. Shared: nobody changes it.
 * Cost:      that of `standings` for the first who asks.
 */
export function standingsOf(observations: readonly Observation[], horizon: number): readonly Float64Array[] {
  const byHorizon = known.get(observations) ?? new Map<number, readonly Float64Array[]>();
  known.set(observations, byHorizon);
  const rows =
    byHorizon.get(horizon) ??
    standings(
      observations.map(({ trail }) => trail),
      horizon,
    );
  byHorizon.set(horizon, rows);
  return rows;
}
