import type { CellRecord, LabRecord } from '../../src/core/report/lab/record.ts';
import { momentsOf } from '../../src/core/report/lab/summary.ts';

const attacks = ['backdoor', 'distributed-backdoor', 'edge-case-backdoor'] as const;
/** Student's t for 95 % and two degrees of freedom: three seeds. */
const t3 = 4.303;

/** "success / accuracy" of each backdoor under each rule, and without attackers: what chance gives. */
export function backdoorTable(record: LabRecord): string {
  const rules = axis(record, 'rule');
  const rows = axis(record, 'partition').flatMap((partition) =>
    ['0', '4'].flatMap((attackers) =>
      rules.flatMap((rule) => {
        const some = (attack: string) => cellsAt(record, { partition, attackers, attack, rule });
        if (attackers === '0' && rule !== 'mean') return [];
        const cells = attacks.map((attack) => `${success(some(attack))} / ${accuracy(some(attack))}`);
        return [[partition, attackers === '0' ? 'mean, nobody attacks' : rule, ...cells]];
      }),
    ),
  );
  return table(['partition', 'rule', ...attacks], rows);
}

/**
 * What stealthy attacks take from the last round's accuracy where no detector acts, in points, each seed against the
 * same seed without attack: mean, the upper end of the mean's 95 % interval (t, three seeds), worst seed.
 */
export function lossTable(record: LabRecord, matrix: LabRecord): string {
  const cases = [
    ...axis(matrix, 'partition').flatMap((partition) => [
      ['mimic', partition, matrix] as const,
      ...(partition === 'iid' ? [] : [['label-flip', partition, matrix] as const]),
    ]),
    ...axis(record, 'partition').flatMap((partition) =>
      (['own-shift-0.25', 'slow-drift', ...attacks] as const).map((attack) => [attack, partition, record] as const),
    ),
  ];
  const rules = ['mean', 'multi-krum', 'nnm > trimmed-mean', 'watchful'];
  const rows = cases
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([attack, partition, from]) => [
      attack,
      partition,
      ...rules.map((rule) => {
        const honest = cellsAt(matrix, { partition, attackers: '4', attack: 'none', rule });
        return lost(honest, cellsAt(from, { partition, attackers: '4', attack, rule }));
      }),
    ]);
  return table(['attack', 'partition', ...rules], rows);
}

function lost(honest: readonly CellRecord[], attacked: readonly CellRecord[]): string {
  const losses = attacked.flatMap(({ axes, outcome }) => {
    const before = honest.find((cell) => cell.axes['seed'] === axes['seed'])?.outcome.accuracy ?? null;
    return before === null || outcome.accuracy === null ? [] : [100 * (before - outcome.accuracy)];
  });
  const { mean, deviation } = momentsOf(losses);
  if (mean === null || deviation === null || losses.length < 3) return '–';
  const upper = mean + (t3 * deviation) / Math.sqrt(losses.length);
  return `${mean.toFixed(1)} (≤ ${upper.toFixed(1)}; ${Math.max(...losses).toFixed(1)})`;
}

const success = (cells: readonly CellRecord[]) => share(cells.flatMap(({ outcome }) => outcome.attackSuccess ?? []));
const accuracy = (cells: readonly CellRecord[]) => share(cells.flatMap(({ outcome }) => outcome.accuracy ?? []));

function share(values: readonly number[]): string {
  const { mean, deviation } = momentsOf(values);
  if (mean === null) return '–';
  return `${(100 * mean).toFixed(1)}${deviation === null ? '' : ` ± ${(100 * deviation).toFixed(1)}`}`;
}

function cellsAt({ cells }: LabRecord, place: Readonly<Record<string, string>>): readonly CellRecord[] {
  return cells.filter(({ axes }) => Object.entries(place).every(([name, value]) => axes[name] === value));
}

function axis(record: LabRecord, name: string): readonly string[] {
  return record.axes.find((one) => one.name === name)!.values;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
