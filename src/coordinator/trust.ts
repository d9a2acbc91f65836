import { type Memory, memoryOf } from '../core/detection/memory.ts';
import { countPatterns } from '../core/detection/pattern/pattern.ts';
import { aged, standingOf, weightOf } from '../core/detection/reputation.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { RoundRecord } from '../core/round/record.ts';

/** Who may be invited, and who is left out because of what it did lately. */
export type Trusted = {
  readonly clientIds: readonly string[];
  readonly leftOut: readonly { readonly clientId: string; readonly trust: number }[];
};

/**
 * Leaves excluded clients out of a round, where the plan says so. Never so many that a round could not run: then the
 * most trusted of them stay.
 */
export function trustedOf(present: readonly string[], round: number, plan: Plan, memory: Memory): Trusted {
  const { reputation } = plan.detection;
  if (reputation === 'observe' || reputation === 'weigh') return { clientIds: present, leftOut: [] };
  const excluded = present
    .map((clientId) => ({ clientId, standing: standingOf(aged(memoryOf(memory, clientId).reputation, round)) }))
    .filter(({ standing }) => standing.state === 'excluded')
    .map(({ clientId, standing }) => ({ clientId, trust: standing.trust }))
    .sort((a, b) => a.trust - b.trust || (a.clientId < b.clientId ? -1 : 1));
  const leftOut = excluded.slice(0, Math.max(0, present.length - plan.cohort.quorum));
  const out = new Set(leftOut.map(({ clientId }) => clientId));
  return { clientIds: present.filter((clientId) => !out.has(clientId)), leftOut };
}

/** Claimed weights as reputation has them: a rule that reads weights hears a client that is doubted less. */
export function weightsOf(
  claimed: readonly { readonly clientId: string; readonly examples: number }[],
  round: number,
  plan: Plan,
  memory: Memory,
): readonly number[] {
  const { reputation } = plan.detection;
  const isWeighing = reputation === 'weigh' || reputation === 'weigh-and-select';
  return claimed.map(({ clientId, examples }) =>
    isWeighing ? examples * weightOf(aged(memoryOf(memory, clientId).reputation, round)) : examples,
  );
}

/** Codes of refusals that no honest program earns: the envelope was in order, what was in it was not. */
const hostileCodes: readonly string[] = ['not-finite', 'wrong-shape', 'bad-payload'];

/** Clients whose contribution to a round was refused for what was in it. */
export function refusedForContent({ refused }: Pick<RoundRecord, 'refused'>): readonly string[] {
  return [...new Set(refused.filter(({ code }) => hostileCodes.includes(code)).map(({ clientId }) => clientId))];
}

/** What is to be said of a client's reputation after a round: nothing before detection has seen it. */
export function reputationOf(memory: Memory, clientId: string, records: readonly RoundRecord[]) {
  if (!Object.hasOwn(memory.clients, clientId)) return null;
  const { reputation } = memoryOf(memory, clientId);
  const seen = records.flatMap(({ round, verdicts }) =>
    verdicts.filter((verdict) => verdict.clientId === clientId).map((verdict) => ({ round, ...verdict })),
  );
  const last = seen.findLast(({ isFlagged }) => isFlagged);
  const { trust, uncertainty, forecast, state } = standingOf(reputation);
  return {
    trust,
    uncertainty,
    forecast,
    standing: state,
    flaggedRounds: seen.filter(({ isFlagged }) => isFlagged).length,
    judgedRounds: seen.length,
    lastFlag: last === undefined ? null : { round: last.round, reasons: last.reasons, pattern: last.pattern ?? null },
    patterns: countPatterns(seen),
  };
}
