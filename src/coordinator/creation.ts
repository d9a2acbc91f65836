import { PlanError, planHash } from '../core/plan/plan.ts';
import type { Json } from '../core/protocol/canonical-json.ts';
import { writeCard } from './cards.ts';
import type { Models } from './models.ts';
import type { CoordinatorParts } from './parts.ts';
import type { RunLog } from './run-log.ts';

/** Begins the journal of a new run with its plan and its initial model; a run that has begun must keep its plan. */
export async function beginOrContinue(parts: CoordinatorParts, log: RunLog, models: Models): Promise<void> {
  const { plan } = parts;
  const { models: rows, run } = log.snapshot();
  if (run.planHash !== null && run.planHash !== planHash(plan)) {
    throw new PlanError([
      `the plan of a run must stay as it was when the run began (hash ${run.planHash.slice(0, 16)}…): current value is ${planHash(plan).slice(0, 16)}…`,
    ]);
  }
  if (rows.length > 0) return;
  const model = await models.writeInitial();
  const card = await writeCard(parts, model, { clientIds: [], privacy: null });
  const data = { planHash: planHash(plan), plan: plan as unknown as Json, model: model.hash, card };
  await log.record(() => ({
    changes: [{ kind: 'model', model }],
    drafts: [{ kind: 'run.created', data }],
    result: undefined,
  }));
}
