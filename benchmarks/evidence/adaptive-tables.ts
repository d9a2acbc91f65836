import type { LabRecord } from '../../src/core/report/lab/record.ts';
import type { Group } from '../../src/core/report/lab/summary.ts';
import { at, axis, cell, goals, partitions, table, verdictOf } from './tables.ts';

/** What attacks that know the rule leave, by rule and partition, beside the goal of the rule's partition. */
export function adaptiveTable(record: LabRecord): string {
  const attacks = axis(record, 'attack');
  const rows = axis(record, 'rule').flatMap((rule) =>
    partitions.map((partition) => {
      const groups = attacks.map((attack) => at(record, { partition, attack, rule }));
      return [rule, partition, ...groups.map(cell), ...worstCells(groups, partition)];
    }),
  );
  return table(['rule', 'partition', ...attacks, 'goal', 'worst of these'], rows);
}

/** The default rule against attackers with skewed data, beside what the data of the honest alone give. */
export function skewedTable(record: LabRecord): string {
  const attacks = axis(record, 'attack').filter((attack) => attack !== 'zero');
  const rows = partitions.map((partition) => {
    const alone = at(record, { partition, attack: 'zero', rule: 'mean' });
    const groups = attacks.map((attack) => at(record, { partition, attack, rule: 'watchful' }));
    return [partition, cell(alone), ...groups.map(cell), ...worstCells(groups, partition)];
  });
  return table(['partition', 'honest data alone', ...attacks, 'goal', 'worst'], rows);
}

/** The goal, and whether the worst of these meets it; a dash until all have run. */
function worstCells(groups: readonly (Group | undefined)[], partition: string): readonly [string, string] {
  const goal = goals[partition]!;
  const known = groups.filter((group) => group !== undefined);
  const worst = known.reduce<Group | undefined>(
    (low, group) => (low === undefined || (group.mean ?? 0) < (low.mean ?? 0) ? group : low),
    undefined,
  );
  return [goal.toFixed(1), known.length < groups.length ? '–' : verdictOf(worst, goal)];
}
