import { momentsOf } from '../../src/core/report/lab/summary.ts';
import type { SocketCell } from './matrix.ts';
import type { SocketOutcome } from './run-cell.ts';

/** A cell that has run. */
export type SocketRow = { readonly cell: SocketCell; readonly outcome: SocketOutcome };

const columns = [
  ['attack', ({ cell }) => cell.attack],
  ['rule', ({ cell }) => cell.rule],
  ['seed', ({ cell }) => cell.seed],
  ['clients', ({ cell }) => cell.plan.cohort.expected],
  ['attackers', ({ cell }) => cell.attackers],
  ['status', ({ outcome }) => outcome.status],
  ['accuracy', ({ outcome }) => outcome.accuracy],
  ['attackers_flagged', ({ outcome }) => outcome.flagged.attackers],
  ['honest_flagged', ({ outcome }) => outcome.flagged.honest],
  ['refused', ({ outcome }) => outcome.refused],
  ['processes', ({ outcome }) => outcome.processes],
  ['tls', ({ outcome }) => outcome.tls],
  ['bytes_up', ({ outcome }) => outcome.bytesUp],
  ['bytes_down', ({ outcome }) => outcome.bytesDown],
  ['seconds', ({ outcome }) => outcome.seconds.toFixed(2)],
  ['key', ({ cell }) => cell.key],
] as const satisfies readonly (readonly [string, (row: SocketRow) => string | number | null])[];

/** One line a cell. No value holds a comma or a quote. */
export function boardCsv(rows: readonly SocketRow[]): string {
  const lines = rows.map((row) => columns.map(([, of]) => of(row) ?? '').join(','));
  return `${[columns.map(([name]) => name).join(','), ...lines].join('\n')}\n`;
}

/** Rules down, attacks across: mean ± deviation of the last round's accuracy over the seeds that have run. */
export function accuracyBoard(rows: readonly SocketRow[], axes: Axes): string {
  return board(rows, axes, (some) => {
    const { mean, deviation } = momentsOf(some.flatMap(({ outcome }) => outcome.accuracy ?? []));
    if (mean === null) return '–';
    return `${(100 * mean).toFixed(1)}${deviation === null ? '' : ` ± ${(100 * deviation).toFixed(1)}`}`;
  });
}

/** Rules down, attacks across: how many of the attackers were flagged in most of their rounds, and of the honest. */
export function flaggedBoard(rows: readonly SocketRow[], axes: Axes): string {
  return board(rows, axes, (some) => {
    if (some.length === 0) return '–';
    const liars = some.flatMap(({ cell, outcome }) => Array.from({ length: cell.attackers }, () => outcome));
    const caught = some.reduce(
      (sum, { cell, outcome }) => sum + Math.round(cell.attackers * (outcome.flagged.attackers ?? 0)),
      0,
    );
    const honest = some.reduce((sum, { cell }) => sum + cell.plan.cohort.expected - cell.attackers, 0);
    const wrong = some.reduce(
      (sum, { cell, outcome }) =>
        sum + Math.round((cell.plan.cohort.expected - cell.attackers) * outcome.flagged.honest),
      0,
    );
    return `${liars.length === 0 ? '–' : `${caught} of ${liars.length}`}, ${wrong} of ${honest}`;
  });
}

/** What ran, in one sentence. */
export function boardFacts(rows: readonly SocketRow[]): string {
  const seeds = [...new Set(rows.map(({ cell }) => cell.seed))].sort((a, b) => a - b);
  const seconds = rows.map(({ outcome }) => outcome.seconds).sort((a, b) => a - b);
  const processes = rows.reduce((sum, { outcome }) => sum + outcome.processes, 0);
  const channels = [...new Set(rows.map(({ outcome }) => outcome.tls))].join(', ');
  const bytes = rows.reduce((sum, { outcome }) => sum + outcome.bytesUp + outcome.bytesDown, 0);
  const middle = seconds[Math.floor(seconds.length / 2)] ?? 0;
  return `${rows.length} federations, ${processes} processes, seeds ${seeds.join(', ')}; every client read ${channels} from its connection; ${(bytes / 1e9).toFixed(2)} GB of bodies; a federation takes ${middle.toFixed(1)} s (median).`;
}

type Axes = { readonly attack: readonly string[]; readonly rule: readonly string[] };

function board(rows: readonly SocketRow[], axes: Axes, text: (some: readonly SocketRow[]) => string): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const body = axes.rule.map((rule) => [
    rule.replaceAll(/ f=\d+/g, ''),
    ...axes.attack.map((attack) => text(rows.filter(({ cell }) => cell.rule === rule && cell.attack === attack))),
  ]);
  const head = ['rule', ...axes.attack];
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}
