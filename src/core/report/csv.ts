import type { RoundRecord } from '../round/record.ts';
import type { RunRecord } from '../round/run-record.ts';

type Cell = string | number | null | undefined;

/** Each column and where it is read. Participants, accepted and refused are counts; flagged is a list of ids. */
const columns = {
  round: ({ round }) => round,
  status: ({ status }) => status,
  participants: ({ participants }) => participants.length,
  accepted: ({ accepted }) => accepted.length,
  refused: ({ refused }) => refused.length,
  accuracy: ({ accuracy }) => accuracy,
  loss: ({ loss }) => loss,
  client_accuracy: ({ clients }) => clients?.accuracy,
  client_accuracy_worst: ({ clients }) => clients?.worst.accuracy,
  client_accuracy_spread: ({ clients }) => clients?.accuracySpread,
  flagged: ({ flagged }) => flagged.join(' '),
  bytes_up: ({ bytesUp }) => bytesUp,
  bytes_down: ({ bytesDown }) => bytesDown,
  seconds: ({ seconds }) => seconds,
  model_hash: ({ modelHash }) => modelHash,
} as const satisfies Record<string, (record: RoundRecord) => Cell>;

/**
 * metrics.csv: a heading, then one row for each round, with numbers in full precision and nothing where none was
 * measured.
 *
 * Promises: a text that a spreadsheet would take for a formula starts with an apostrophe.
 * Source:   RFC 4180.
 */
export function metricsCsv(run: RunRecord): string {
  const rows = run.rounds.map((record) => Object.values(columns).map((read) => read(record)));
  return csvText([Object.keys(columns), ...rows]);
}

/** Rows of values as CSV, with the same promises. */
export function csvText(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function cell(value: Cell): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  if (value === null || value === undefined) return '';
  const inert = /^[\s]*[=+\-@\t\r\n|%]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(inert) || inert !== inert.trim() ? `"${inert.replaceAll('"', '""')}"` : inert;
}
