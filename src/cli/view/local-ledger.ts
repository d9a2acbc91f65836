import type { LocalSummary, PrivacySummary } from '../../core/round/run-record.ts';
import { aligned } from './aligned.ts';
import { histogramLines } from './histogram-lines.ts';

/** Under local privacy nobody but the site can stop it: what is shown is what has come from each. */
export function localLedgerLines({ statement, epsilon }: PrivacySummary, local: LocalSummary): readonly string[] {
  const { mechanism, updatesPlanned, clients, histograms } = local;
  const rows = clients.map(({ clientId, updates, reports, epsilon: spent }) => [
    clientId,
    `${updates} of ${updatesPlanned}`,
    String(reports),
    spent === null ? 'at the site' : spent.toFixed(4),
    String(epsilon),
  ]);
  return [
    statement,
    `mechanism ${mechanism}; each site counts what it draws, and stops by itself`,
    '',
    ...aligned([['client', 'updates', 'reports', 'spent', 'of'], ...rows]),
    ...histograms.flatMap((one) => ['', ...histogramLines(one)]),
  ];
}
