import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabRecord } from '../../src/core/report/lab/record.ts';
import { type Group, groupsOf, momentsOf } from '../../src/core/report/lab/summary.ts';

type Published = {
  readonly f: readonly number[];
  readonly 'geometric-median': Readonly<Record<string, readonly number[]>>;
};

const published = JSON.parse(readFileSync(join(import.meta.dirname, 'published-heatmap.json'), 'utf8')) as Published;

/**
 * Similarity down, attackers across: "best on the way / last round / published", each under the attack that is worst by
 * that measure, in per cent; a dash until every attack has run.
 */
export function heatmapTable(record: LabRecord): string {
  const groups = groupsOf(record);
  const attacks = record.axes.find(({ name }) => name === 'attack')!.values;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const head = ['similarity: best / last / published', ...published.f.map((f) => `f = ${f}`)];
  const rows = Object.entries(published['geometric-median']).map(([similarity, theirs]) => [
    similarity,
    ...published.f.map((f, i) => {
      const some = groups.filter(
        ({ axes }) => axes['partition'] === `similarity=${similarity}` && axes['attackers'] === String(f),
      );
      const ours = some.length < attacks.length ? '– / –' : `${worst(some, 'best')} / ${worst(some, 'accuracy')}`;
      return `${ours} / ${(100 * theirs[i]!).toFixed(0)}`;
    }),
  ]);
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The lowest mean over the seeds of any attack. */
function worst(groups: readonly Group[], measure: 'best' | 'accuracy'): string {
  const moments = groups.map(({ cells }) => momentsOf(cells.flatMap(({ outcome }) => outcome[measure] ?? [])));
  const lowest = moments.reduce((low, one) => ((one.mean ?? 0) < (low.mean ?? 0) ? one : low));
  const spread = lowest.deviation === null ? '' : ` ± ${(100 * lowest.deviation).toFixed(1)}`;
  return `${(100 * (lowest.mean ?? 0)).toFixed(1)}${spread}`;
}
