import { formatShare } from '../format.ts';
import type { Plot, Series } from '../plot.ts';
import { linearScale, wholeScale } from '../scale.ts';
import { type Grid, type Group, momentsOf } from './summary.ts';

const looks = [
  { tone: 'blue', shape: 'circle' },
  { tone: 'green', shape: 'square' },
  { tone: 'purple', shape: 'diamond' },
  { tone: 'orange', shape: 'triangle' },
  { tone: 'amber', shape: 'triangle-down' },
  { tone: 'slate', shape: 'circle' },
] as const;

/** Accuracy by round of each row's lowest column, with the range over the seeds; the best rows where there are many. */
export function worstCurves(grid: Grid, { id, title }: { readonly id: string; readonly title: string }): Plot {
  const worst = grid.rows.values.flatMap((row) => {
    const group = grid.worst(row);
    return group === undefined ? [] : [{ row, group }];
  });
  const drawn = worst.sort((a, b) => b.group.mean! - a.group.mean!).slice(0, looks.length);
  const series = drawn.map(({ row, group }, i): Series => {
    const { tone, shape } = looks[i]!;
    const points = curveOf(group);
    return {
      name: row,
      figure: `${formatShare(group.mean)} · ${group.axes[grid.columns.name] ?? ''}`,
      tone,
      marker: { shape, isSolid: i % 2 === 0 },
      line: { dash: null },
      points: points.map(({ x, mean }) => ({ x, y: mean, title: `Round ${x}, ${row}: ${formatShare(mean)}` })),
      spread: points,
    };
  });
  const values = series.flatMap(({ spread = [] }) => spread.flatMap(({ low, high }) => [low, high]));
  return {
    id,
    title,
    description: drawn.map(({ row, group }) => `${row}: ${formatShare(group.mean)} in the last round.`).join(' '),
    height: 340,
    x: {
      label: 'round',
      scale: wholeScale(series.flatMap(({ points }) => points.map(({ x }) => x))),
      format: String,
    },
    y: {
      label: 'accuracy, with the range over the seeds',
      scale: linearScale(values, { least: 0, most: 1 }),
      format: (tick) => `${Math.round(100 * tick)} %`,
    },
    series,
    bands: [],
  };
}

/** Mean, lowest and highest over the seeds in each round that all of them measured. */
function curveOf({ cells }: Group) {
  const curves = cells.map(({ outcome }) => new Map(outcome.curve));
  const rounds = [...curves[0]!.keys()].filter((round) => curves.every((curve) => curve.has(round)));
  return rounds.map((round) => {
    const values = curves.map((curve) => curve.get(round)!);
    return { x: round, mean: momentsOf(values).mean!, low: Math.min(...values), high: Math.max(...values) };
  });
}
