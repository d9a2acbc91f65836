import type { CentralPrivacy } from '../../core/plan/privacy.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { forecastRotation, type RotationForecast } from '../../core/privacy/ledger/rotation-forecast.ts';
import { createRng } from '../../core/random/rng.ts';
import { approvedClients } from '../gathering.ts';
import type { Snapshot } from '../run-log.ts';
import { roundsOf } from '../state.ts';

/**
 * When each client under DP-FTRL has used its last round, by its presence so far and the scheduler's own choice. Undefined
 * before the first round, in runs of older versions, and where it would take too long.
 */
export function ftrlForecasts(
  snapshot: Snapshot,
  plan: Plan,
  leftOf: (clientId: string) => number,
): ReadonlyMap<string, RotationForecast> | undefined {
  const { privacy } = snapshot.run;
  const presence = privacy?.presence;
  if (privacy === null || privacy === undefined || presence === undefined) return undefined;
  const { participations, separation } = (plan.privacy as CentralPrivacy).ftrl!;
  const clientIds = approvedClients(snapshot, [...snapshot.devices.values()]);
  const members = clientIds.map((clientId) => {
    const leaves = privacy.ftrl?.leaves[clientId] ?? [];
    return {
      taken: leaves.length,
      since: privacy.released - (leaves.at(-1) ?? -Infinity),
      left: leftOf(clientId),
      away: presence.away[clientId] ?? 0,
      seen: presence.rounds,
    };
  });
  const roundsLeft = roundsOf(snapshot.run, plan) - privacy.released;
  const rotation = { size: plan.cohort.size, participations, separation, roundsLeft };
  const forecasts = forecastRotation(members, rotation, createRng(plan.seed).child('forecast', privacy.released));
  return forecasts && new Map(clientIds.map((clientId, i) => [clientId, forecasts[i]!]));
}
