import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabRecord } from '../../src/core/report/lab/record.ts';
import { type Group, groupsOf } from '../../src/core/report/lab/summary.ts';

type Independent = {
  readonly centralised: { readonly steps300: number; readonly steps3000: number };
  readonly accuracy: Readonly<Record<string, Readonly<Record<string, number>>>>;
};

const independent = JSON.parse(readFileSync(join(import.meta.dirname, 'independent-iid.json'), 'utf8')) as Independent;
export const partitions = ['iid', 'alpha=0.5', 'alpha=0.1', 'sorted'];
/** The best worst case of all known rules, by partition: what one policy has to reach. */
export const goals: Readonly<Record<string, number>> = { iid: 82.5, 'alpha=0.5': 78.7, 'alpha=0.1': 73, sorted: 68.3 };
const lossMax = 0.5;
/** Below this a run has collapsed, and where it ends is chance. */
const collapsed = 45;
const retentionMin = 95;
/** Repetitions of every place of the matrix. */
export const seedCount = 3;

/** Worst attack and loss without attack of a policy, against its goals. */
export function ofPolicy(record: LabRecord, policy: string): string {
  const rows = partitions.map((partition) => {
    const worst = worstOf(record, partition, policy);
    const none = at(record, { partition, attack: 'none', rule: policy });
    const mean = at(record, { partition, attack: 'none', rule: 'mean' });
    const [ours, best] = [percent(none), percent(mean)];
    const loss = ours === null || best === null ? null : best - ours;
    return [
      partition,
      cell(worst),
      worst?.axes['attack'] ?? '–',
      goals[partition]!.toFixed(1),
      verdictOf(worst, goals[partition]!),
      cell(none),
      cell(mean),
      loss === null ? '–' : loss.toFixed(1),
      loss === null ? '–' : loss <= lossMax ? 'met' : '**missed**',
    ];
  });
  const head = [
    'partition',
    'worst attack',
    'which',
    'goal',
    '',
    'no attack',
    'mean without attack',
    'lost',
    `at most ${lossMax}`,
  ];
  return table(head, rows);
}

/** Every attack of one rule. */
export function byAttack(record: LabRecord, rule: string): string {
  const attacks = axis(record, 'attack');
  const rows = partitions.map((partition) => [
    partition,
    ...attacks.map((attack) => cell(at(record, { partition, attack, rule }))),
  ]);
  return table(['partition', ...attacks], rows);
}

/** The worst attack of every rule in every partition. */
export function worstByRule(record: LabRecord): string {
  const rows = axis(record, 'rule').map((rule) => [
    rule,
    ...partitions.map((partition) => {
      const worst = worstOf(record, partition, rule);
      return worst === undefined ? '–' : `${cell(worst)} (${worst.axes['attack']})`;
    }),
  ]);
  return table(['rule', ...partitions], rows);
}

/** The IID table of an independent implementation, and how far ours is from it. */
export function reproduction(record: LabRecord): string {
  const attacks = axis(record, 'attack');
  const rows = Object.entries(independent.accuracy).map(([rule, theirs]) => [
    rule,
    ...attacks.map((attack) => {
      const ours = percent(at(record, { partition: 'iid', attack, rule }));
      const known = theirs[attack]!;
      if (ours === null) return `– / ${known.toFixed(1)}`;
      const text = `${ours.toFixed(1)} / ${known.toFixed(1)}`;
      return Math.abs(ours - known) <= 3 || known < collapsed ? text : `**${text}**`;
    }),
  ]);
  return table(['rule: ours / theirs', ...attacks], rows);
}

/** Shares of the centralised accuracy that a policy keeps. */
export function retention(record: LabRecord, policy: string): string {
  const { steps300, steps3000 } = independent.centralised;
  const rows = partitions.flatMap((partition) =>
    (['no attack', 'worst attack'] as const).map((which) => {
      const group =
        which === 'no attack'
          ? at(record, { partition, attack: 'none', rule: policy })
          : worstOf(record, partition, policy);
      const reached = percent(group);
      const share = reached === null ? null : (100 * reached) / steps3000;
      return [
        partition,
        which,
        cell(group),
        share === null ? '–' : share.toFixed(1),
        reached === null ? '–' : ((100 * reached) / steps300).toFixed(1),
        share === null ? '–' : share > retentionMin ? 'met' : '**missed**',
      ];
    }),
  );
  const head = [
    'partition',
    '',
    'accuracy',
    `of ${steps3000} (3,000 steps), %`,
    `of ${steps300} (300 steps), %`,
    `> ${retentionMin} %`,
  ];
  return table(head, rows);
}

type Place = { readonly partition: string; readonly attack: string; readonly rule: string };

export function at(record: LabRecord, place: Place): Group | undefined {
  return groupsOf(record).find(({ axes }) => Object.entries(place).every(([name, value]) => axes[name] === value));
}

/** The attack with the lowest mean; undefined until every attack has run on every seed. */
function worstOf(record: LabRecord, partition: string, rule: string): Group | undefined {
  const groups = axis(record, 'attack').map((attack) => at(record, { partition, attack, rule }));
  if (groups.some((group) => group === undefined || group.cells.length < seedCount || group.mean === null))
    return undefined;
  return (groups as Group[]).reduce((low, group) => (group.mean! < low.mean! ? group : low));
}

/** A mean in per cent; null where nothing was measured. */
function percent(group: Group | undefined): number | null {
  return group === undefined || group.mean === null ? null : 100 * group.mean;
}

export function verdictOf(group: Group | undefined, goal: number): string {
  const reached = percent(group);
  if (reached === null) return '–';
  if (reached >= goal) return 'met';
  return reached + 100 * (group?.deviation ?? 0) >= goal ? 'met within one deviation' : '**missed**';
}

export function axis(record: LabRecord, name: string): readonly string[] {
  return record.axes.find((one) => one.name === name)!.values;
}

/** Mean ± deviation over the seeds in per cent, and of how many where not of all. */
export function cell(group: Group | undefined): string {
  const reached = percent(group);
  if (group === undefined || reached === null) return '–';
  const spread = group.deviation === null ? '' : ` ± ${(100 * group.deviation).toFixed(1)}`;
  const count = group.cells.length < seedCount ? ` (${group.cells.length} of ${seedCount} seeds)` : '';
  return `${reached.toFixed(1)}${spread}${count}`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
