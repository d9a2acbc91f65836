import { unitUpdatesOf, updateBudget } from '../../core/plan/local-privacy.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { LocalPrivacy } from '../../core/plan/privacy.ts';
import { gaussianEpsilon } from '../../core/privacy/accounting/analytic-gaussian.ts';
import { epsilon as epsilonOf } from '../../core/privacy/accounting/epsilon.ts';
import { localNoise } from '../../core/privacy/local/noisy-update.ts';
import { responseOf } from '../../core/privacy/local/priv-unit-update.ts';
import { questionKey, allQuestions } from '../../core/plan/histograms.ts';
import { histogramFigures } from '../../core/round/histograms.ts';
import type { LocalSummary } from '../../core/round/run-record.ts';
import type { RunState } from '../state.ts';

/**
 * What has left each site under local privacy, as the coordinator has seen it: derived from the journal. The site's own
 * count is what stops it, and may be higher: what it drew and could not send counts there.
 */
export function localSummary(run: RunState, plan: Plan, privacy: LocalPrivacy): LocalSummary {
  const updates = new Map<string, number>();
  for (const { accepted } of run.records) {
    for (const clientId of accepted) updates.set(clientId, (updates.get(clientId) ?? 0) + 1);
  }
  const answered = new Map<string, number>();
  let ofReports = new Map<string, number>();
  for (const question of allQuestions(plan)) {
    for (const clientId of run.histograms[questionKey(question)]?.clients ?? []) {
      answered.set(clientId, (answered.get(clientId) ?? 0) + 1);
      ofReports = ofReports.set(clientId, (ofReports.get(clientId) ?? 0) + question.epsilon);
    }
  }
  const costs = new Map<number, number | null>();
  const costOf = (count: number) => {
    if (!costs.has(count)) costs.set(count, costOfUpdates(count, plan, privacy));
    return costs.get(count)!;
  };
  const clients = [...new Set([...updates.keys(), ...answered.keys()])].sort().map((clientId) => {
    const count = updates.get(clientId) ?? 0;
    const ofUpdates = costOf(count);
    return {
      clientId,
      updates: count,
      reports: answered.get(clientId) ?? 0,
      epsilon: ofUpdates === null ? null : ofUpdates + (ofReports.get(clientId) ?? 0),
    };
  });
  return {
    mechanism: privacy.unit === 'record' ? 'record' : privacy.mechanism,
    updatesPlanned: plan.rounds.count,
    clients,
    histograms: histogramFigures(plan, run.histograms),
  };
}

/** ε of so many updates of one site at the plan's δ; null where each record has its own noise in training. */
function costOfUpdates(count: number, plan: Plan, privacy: LocalPrivacy): number | null {
  if (privacy.unit === 'record') return null;
  if (count === 0) return 0;
  const { delta } = privacy;
  if (privacy.mechanism === 'priv-unit') {
    const { epsilon } = unitUpdatesOf(plan, privacy);
    return epsilonOf({ ...responseOf(epsilon), steps: count, delta }).epsilon;
  }
  return gaussianEpsilon((2 * Math.sqrt(count)) / localNoise(updateBudget(privacy, plan.rounds)), delta);
}
