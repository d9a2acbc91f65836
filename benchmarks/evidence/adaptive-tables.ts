import type { LabRecord } from '../../src/core/report/lab/record.ts';
import type { Group } from '../../src/core/report/lab/summary.ts';
import { at, axis, cell, goals, partitions, seedCount, table, verdictOf } from './tables.ts';

/** What attacks that know the default rule leave, beside the goal of the partition. */
export function adaptiveTable(record: LabRecord): string {
  const attacks = axis(record, 'attack').filter((attack) => attack !== 'none');
  const rows = partitions.map((partition) => {
    const groups = attacks.map((attack) => at(record, { partition, attack, rule: 'watchful' }));
    return [partition, ...groups.map(cell), ...worstCells(groups, partition)];
  });
  return table(['partition', ...attacks, 'worst of these', 'goal', ''], rows);
}

/** What the option `suspect` of the default rule gains against turncoats, and costs without an attack. */
export function suspectTable(record: LabRecord, robustness: LabRecord): string {
  const rows = partitions.map((partition) => {
    const of = (from: LabRecord, attack: string, rule: string) => cell(at(from, { partition, attack, rule }));
    const without = [of(record, 'turncoat', 'watchful'), of(robustness, 'none', 'watchful')];
    const suspect = [of(record, 'turncoat', 'watchful suspect'), of(record, 'none', 'watchful suspect')];
    return [partition, without[0]!, suspect[0]!, without[1]!, suspect[1]!];
  });
  const head = ['partition', 'turncoat', 'turncoat, suspect = 0.1', 'no attack', 'no attack, suspect = 0.1'];
  return table(head, rows);
}

/** The default rule against attackers with skewed data, beside what the data of the honest alone give. */
export function skewedTable(record: LabRecord): string {
  const attacks = axis(record, 'attack').filter((attack) => attack !== 'zero');
  const rows = partitions.map((partition) => {
    const alone = at(record, { partition, attack: 'zero', rule: 'mean' });
    const groups = attacks.map((attack) => at(record, { partition, attack, rule: 'watchful' }));
    return [partition, cell(alone), ...groups.map(cell), ...worstCells(groups, partition)];
  });
  return table(['partition', 'honest data alone', ...attacks, 'worst', 'goal', ''], rows);
}

/** The worst attack that has run on every seed, the goal, and whether it is met: a goal that is missed needs no more cells. */
function worstCells(groups: readonly (Group | undefined)[], partition: string): readonly string[] {
  const goal = goals[partition]!;
  const whole = groups.filter((group) => group !== undefined && group.cells.length === seedCount);
  const worst = whole.reduce<Group | undefined>(
    (low, group) => (low === undefined || (group!.mean ?? 0) < (low.mean ?? 0) ? group : low),
    undefined,
  );
  const verdict = verdictOf(worst, goal);
  const isOpen = whole.length < groups.length && verdict === 'met';
  return [
    worst === undefined ? '–' : `${cell(worst)} (${worst.axes['attack']})`,
    goal.toFixed(1),
    isOpen ? 'met so far' : verdict.replace('met within', '**below**, within'),
  ];
}
