import type { CentralPrivacy } from '../../core/plan/privacy.ts';
import type { CoordinatorParts } from '../parts.ts';
import type { RunLog } from '../run-log.ts';
import { type CentralRounds, createCentralRounds } from './central.ts';
import { createFtrlRounds } from './ftrl-rounds.ts';

/** The rounds of a run under central privacy, by the plan's mechanism. */
export function createPrivateRounds(parts: CoordinatorParts, log: RunLog): CentralRounds {
  const { mechanism } = parts.plan.privacy as CentralPrivacy;
  return mechanism === 'dp-ftrl' ? createFtrlRounds(parts, log) : createCentralRounds(parts, log);
}
