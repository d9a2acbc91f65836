import { formatShare } from '../format.ts';
import { coordinate } from '../marker.ts';
import { markup, type Markup } from '../markup.ts';
import { plotWidth, svgFigure } from '../plot.ts';
import type { Grid, Group } from './summary.ts';

const rowHeight = 30;
const top = 96;
const letterWidth = 6.6;
const worstWidth = 132;
/** Text stays readable on every shade in both schemes below this. */
const shadeMax = 0.5;

/** Rows × columns, shaded by the mean over the seeds, with the lowest of each row at the end. */
export function heatMap(grid: Grid, { id, title }: { readonly id: string; readonly title: string }): Markup {
  const rows = grid.rows.values;
  const columns = grid.columns.values.filter((column) => rows.some((row) => grid.at(row, column) !== undefined));
  const hasWorst = columns.length > 1;
  const left = Math.min(320, Math.ceil(16 + letterWidth * Math.max(6, ...rows.map((row) => row.length))));
  const width = Math.min(96, (plotWidth - left - (hasWorst ? worstWidth + 12 : 0)) / Math.max(1, columns.length));
  const means = rows.flatMap((row) => columns.flatMap((column) => grid.at(row, column)?.mean ?? []));
  const shade = shadeOf(means);

  const heads = columns.map((column, i) => {
    const [x, y] = [coordinate(left + (i + 0.5) * width), top - 10];
    return markup`<text class="label" transform="translate(${x} ${y}) rotate(-32)">${column}</text>`;
  });
  const worstAt = left + columns.length * width + 12;
  const worstHead = hasWorst
    ? markup`<text class="label is-strong" x="${coordinate(worstAt + worstWidth / 2)}" y="${top - 10}" text-anchor="middle">lowest</text>`
    : null;
  const body = rows.map((row, r) => {
    const y = top + r * rowHeight;
    const name = markup`<text class="label" x="${left - 10}" y="${y + 19}" text-anchor="end">${row}</text>`;
    const cells = columns.map((column, i) => {
      const place = { x: left + i * width, y, width: width - 2 };
      return cell(grid.at(row, column), place, { label: null, title: `${row}, ${column}`, shade });
    });
    const worst = grid.worst(row);
    const last =
      hasWorst && worst !== undefined
        ? cell(worst, { x: worstAt, y, width: worstWidth }, lowest(worst, row, grid.columns.name, shade))
        : null;
    return markup`${name}${cells}${last}\n`;
  });
  return svgFigure({
    id,
    title,
    description: `${rows.length} by ${columns.length} mean accuracies, from ${percent(Math.min(...means))} to ${percent(Math.max(...means))}.`,
    width: plotWidth,
    height: top + rows.length * rowHeight + 12,
    body: [...heads, worstHead ?? markup``, ...body],
  });
}

type Look = { readonly label: string | null; readonly title: string; shade(mean: number): number };

function lowest(group: Group, row: string, axis: string, shade: Look['shade']): Look {
  const name = group.axes[axis] ?? '';
  return { label: `${percent(group.mean!)} ${name}`, title: `${row}, lowest: ${name}`, shade };
}

function cell(
  group: Group | undefined,
  { x, y, width }: { readonly x: number; readonly y: number; readonly width: number },
  { label, title, shade }: Look,
): Markup {
  const box = (className: string, opacity: string, tip: string) =>
    markup`<rect class="heat${className}" x="${coordinate(x)}" y="${y}" width="${coordinate(width)}" height="${rowHeight - 2}" rx="3" fill-opacity="${opacity}"><title>${tip}</title></rect>`;
  if (group === undefined || group.mean === null) return box(' is-none', '0', `${title}: not measured`);
  const seeds = group.deviation === null ? '1 seed' : `± ${percent(group.deviation)} over ${group.cells.length} seeds`;
  const strong = label === null ? '' : ' is-strong';
  return markup`${box('', shade(group.mean).toFixed(3), `${title}: ${formatShare(group.mean)}, ${seeds}`)}<text class="heat-value${strong}" x="${coordinate(x + width / 2)}" y="${y + 19}" text-anchor="middle">${label ?? percent(group.mean)}</text>`;
}

/** The higher the darker, from the lowest to the highest of the table. */
function shadeOf(means: readonly number[]): (mean: number) => number {
  const [low, high] = [Math.min(...means), Math.max(...means)];
  return (mean) => (high > low ? 0.04 + ((mean - low) / (high - low)) * (shadeMax - 0.04) : shadeMax / 2);
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}
