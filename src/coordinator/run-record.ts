import { planHash } from '../core/plan/plan.ts';
import type { Json } from '../core/protocol/canonical-json.ts';
import { suites } from '../core/protocol/suite.ts';
import type { RoundRecord } from '../core/round/record.ts';
import type { RunRecord } from '../core/round/run-record.ts';
import type { CoordinatorParts } from './parts.ts';
import { privacySummary } from './privacy/summary.ts';
import type { Snapshot } from './run-log.ts';

/** Puts together everything that a report says of a run. */
export function runRecordOf(
  snapshot: Snapshot,
  { orgId, runId, plan }: Pick<CoordinatorParts, 'orgId' | 'runId' | 'plan'>,
  seconds: number,
): RunRecord {
  const { run, devices } = snapshot;
  const suite = suites[plan.security.suite];
  const privacy = privacySummary(snapshot, { plan, runId });
  const sum = (pick: (record: RoundRecord) => number) => run.records.reduce((total, record) => total + pick(record), 0);
  return {
    orgId,
    runId,
    name: plan.name,
    status: run.status === 'waiting' ? 'running' : run.status,
    reason: run.reason,
    planHash: planHash(plan),
    plan: plan as unknown as Json,
    rounds: run.records,
    clientIds: [...new Set([...devices.values()].map((device) => device.clientId))].sort(),
    flagged: mostlyFlagged(run.records),
    tls: run.tls,
    signature: suite.signature,
    kem: suite.kem,
    ...(privacy === undefined ? {} : { privacy }),
    bytesUp: sum((record) => record.bytesUp),
    bytesDown: sum((record) => record.bytesDown),
    seconds,
  };
}

/** Clients flagged in more than half of the rounds in which what they sent was looked at. */
function mostlyFlagged(records: readonly RoundRecord[]): readonly string[] {
  const counts = new Map<string, { seen: number; flagged: number }>();
  for (const record of records) {
    const looked = new Set([...record.verdicts.map(({ clientId }) => clientId), ...record.flagged]);
    for (const clientId of looked) {
      const { seen, flagged } = counts.get(clientId) ?? { seen: 0, flagged: 0 };
      counts.set(clientId, { seen: seen + 1, flagged: flagged + (record.flagged.includes(clientId) ? 1 : 0) });
    }
  }
  return [...counts]
    .filter(([, { seen, flagged }]) => flagged > seen / 2)
    .map(([clientId]) => clientId)
    .sort();
}
