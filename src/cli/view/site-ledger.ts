import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSiteLedger, siteLedgerFile } from '../../adapters/site-ledger-file.ts';
import { parsePlan } from '../../core/plan/plan.ts';
import { privacyStatement } from '../../core/plan/privacy.ts';
import { siteLedgerProblem, siteSpending } from '../../core/privacy/local/site-ledger.ts';
import type { Identity } from '../../ports/identity.ts';
import { Failure } from '../failure.ts';
import { aligned } from './aligned.ts';

/** Whether a folder is what "qflare join" keeps for a site under local privacy. */
export function isSiteFolder(folder: string): boolean {
  return existsSync(join(folder, 'identity.json')) && !existsSync(join(folder, 'coordinator.json'));
}

/** What a site's own ledger says, checked entry by entry and against what the site noted of it. */
export async function siteLedgerReport(folder: string) {
  const text = await readFile(join(folder, 'identity.json'), 'utf8');
  const { clientId, runId, local, plan: input } = JSON.parse(text) as Omit<Identity, 'signingSeed'>;
  const plan = parsePlan(input);
  if (plan.privacy.mode !== 'local') {
    throw new Failure(
      'plan',
      `Cannot read a ledger of ${folder} as privacy.mode must be "local" for a site to have its own: current value is "${plan.privacy.mode}"`,
    );
  }
  const { entries } = await readSiteLedger(folder);
  const problem = siteLedgerProblem(entries, local?.ledger);
  if (problem !== undefined)
    throw new Failure('security', `Cannot trust ${join(folder, siteLedgerFile)} as ${problem}`);
  const last = entries.at(-1);
  return {
    clientId,
    runId,
    statement: privacyStatement(plan.privacy, plan.rounds.count),
    updatesPlanned: plan.rounds.count,
    purposes: siteSpending(entries).map(({ grant: { purpose, unit, epsilon: granted, delta }, ...spent }) => ({
      purpose,
      unit,
      ...spent,
      granted,
      delta,
    })),
    entries,
    head: last === undefined ? null : { entries: entries.length, hash: last.hash },
  };
}

type Report = Awaited<ReturnType<typeof siteLedgerReport>>;

export function siteLedgerLines({ clientId, runId, statement, purposes, entries }: Report): readonly string[] {
  if (purposes.length === 0) return [statement, `${clientId} has released nothing yet in ${runId}`];
  const rows = purposes.map(({ purpose, unit, committed, reserved, epsilon, granted, delta }) => [
    purpose,
    `each ${unit}`,
    String(committed),
    String(reserved),
    epsilon.toFixed(4),
    String(granted),
    Math.max(0, granted - epsilon).toFixed(4),
    String(delta),
  ]);
  return [
    statement,
    `${clientId} in ${runId}: what this site has drawn, as it keeps it itself; the coordinator decides nothing of it`,
    '',
    ...aligned([['purpose', 'unit', 'released', 'unfinished', 'spent', 'of', 'left', 'δ'], ...rows]),
    '',
    `${entries.length} entries: each follows from the one before`,
  ];
}
