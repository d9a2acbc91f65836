import { coordinate, marker, type MarkerStyle } from './marker.ts';
import { markup, type Markup } from './markup.ts';
import type { Tone } from './palette.ts';
import type { Scale } from './scale.ts';

export type PlotPoint = { readonly x: number; readonly y: number; readonly title: string };

export type Series = {
  readonly name: string;
  /** What the legend prints under the name; null for nothing. */
  readonly figure: string | null;
  readonly tone: Tone;
  /** Null for a line without marks. */
  readonly marker: MarkerStyle | null;
  /** The dash pattern of the line, null for a solid one; points alone have no line. */
  readonly line: { readonly dash: string | null } | 'none';
  readonly points: readonly PlotPoint[];
  /** The range of several runs around the line. */
  readonly spread?: readonly { readonly x: number; readonly low: number; readonly high: number }[];
};

type Axis = { readonly label: string; readonly scale: Scale; format(value: number): string };

export type Plot = {
  /** Unique in the document: the title and the description refer to it. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly height: number;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Places of x that are shaded, such as aborted rounds. */
  readonly bands: readonly { readonly x: number; readonly title: string }[];
};

export const plotWidth = 960;
const margin = { top: 28, right: 216, bottom: 44, left: 64 };
const inset = 10;
const legendGap = 34;
/** A line with more points than this has a mark on some of them only. */
const marksMax = 40;

/** Draws a plot: axes with ticks, lines, marks, and a legend whose entries stand where the lines end. */
export function renderPlot(plot: Plot): Markup {
  const drawn = plot.series.filter(({ points }) => points.length > 0);
  const place = placer(plot);
  const body = [bands(plot, place), yAxis(plot, place), xAxis(plot, place)];
  for (const series of drawn) body.push(drawSeries(series, place));
  return svgFigure({ ...plot, width: plotWidth, body: [...body, legend(drawn, place, plot.height)] });
}

type Figure = {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly body: readonly Markup[];
};

/** An SVG with the name and the description that a screen reader reads. */
export function svgFigure({ id, title, description, width, height, body }: Figure): Markup {
  return markup`<svg xmlns="http://www.w3.org/2000/svg" class="plot" id="${id}" role="img" aria-labelledby="${id}-title ${id}-desc" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<title id="${id}-title">${title}</title>
<desc id="${id}-desc">${description}</desc>
${body}
</svg>`;
}

/**
 * Moves places apart until each lies at least `gap` from the next, between `low` and `high`, in the same order.
 * Where they cannot all fit, the first ones leave the range.
 */
export function spreadApart(wanted: readonly number[], gap: number, [low, high]: readonly [number, number]): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
  const placed = [...wanted];
  let least = low;
  for (const i of order) {
    placed[i] = Math.max(wanted[i]!, least);
    least = placed[i]! + gap;
  }
  let most = high;
  for (const i of order.toReversed()) {
    placed[i] = Math.min(placed[i]!, most);
    most = placed[i]! - gap;
  }
  return placed;
}

type Place = { x(value: number): number; y(value: number): number; readonly right: number; readonly bottom: number };

function placer({ x, y, height }: Plot): Place {
  const right = plotWidth - margin.right;
  const bottom = height - margin.bottom;
  return {
    x: (value) => margin.left + inset + x.scale.position(value) * (right - margin.left - 2 * inset),
    y: (value) => bottom - y.scale.position(value) * (bottom - margin.top),
    right,
    bottom,
  };
}

function bands(plot: Plot, place: Place): Markup {
  const width = Math.max(2, Math.min(24, place.x(plot.x.scale.low + 1) - place.x(plot.x.scale.low)));
  return markup`${plot.bands.map(
    ({ x, title }) =>
      markup`<rect class="band" x="${coordinate(place.x(x) - width / 2)}" y="${margin.top}" width="${coordinate(width)}" height="${place.bottom - margin.top}"><title>${title}</title></rect>`,
  )}`;
}

function yAxis({ y }: Plot, place: Place): Markup {
  const ticks = y.scale.ticks.map((tick) => {
    const at = coordinate(place.y(tick));
    return markup`<line class="grid" x1="${margin.left}" x2="${place.right}" y1="${at}" y2="${at}"/><text x="${margin.left - 8}" y="${at + 4}" text-anchor="end">${y.format(tick)}</text>`;
  });
  return markup`${ticks}<text x="${margin.left}" y="14" text-anchor="start">${y.label}</text>`;
}

function xAxis({ x }: Plot, place: Place): Markup {
  const ticks = x.scale.ticks.map((tick) => {
    const at = coordinate(place.x(tick));
    return markup`<line class="axis" x1="${at}" x2="${at}" y1="${place.bottom}" y2="${place.bottom + 4}"/><text x="${at}" y="${place.bottom + 18}" text-anchor="middle">${x.format(tick)}</text>`;
  });
  const middle = coordinate((margin.left + place.right) / 2);
  return markup`<line class="axis" x1="${margin.left}" x2="${place.right}" y1="${place.bottom}" y2="${place.bottom}"/>${ticks}<text x="${middle}" y="${place.bottom + 37}" text-anchor="middle">${x.label}</text>`;
}

function drawSeries(series: Series, place: Place): Markup {
  const path = series.points
    .map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${coordinate(place.x(x))} ${coordinate(place.y(y))}`)
    .join('');
  const line = series.line === 'none' ? null : markup`<path class="line"${dashOf(series)} d="${path}"/>`;
  const stride = series.line === 'none' ? 1 : Math.ceil(series.points.length / marksMax);
  const style = series.marker;
  const marks = (style === null ? [] : series.points)
    .filter((_, i) => (series.points.length - 1 - i) % stride === 0)
    .map(({ x, y, title }) => marker(style!, { x: place.x(x), y: place.y(y) }, title));
  return markup`<g class="tone-${series.tone}">${spreadArea(series, place)}${line}${marks}</g>\n`;
}

/** The area between the lowest and the highest run. */
function spreadArea({ spread = [] }: Series, place: Place): Markup | null {
  if (spread.length < 2) return null;
  const corner = (x: number, y: number) => `${coordinate(place.x(x))} ${coordinate(place.y(y))}`;
  const above = spread.map(({ x, high }) => corner(x, high));
  const below = spread.toReversed().map(({ x, low }) => corner(x, low));
  return markup`<path class="spread" d="M${[...above, ...below].join('L')}Z"/>`;
}

function legend(drawn: readonly Series[], place: Place, height: number): Markup {
  const ends = drawn.map(({ line, points }) => (line === 'none' ? margin.top + 6 : place.y(points.at(-1)!.y)));
  const places = spreadApart(ends, legendGap, [margin.top + 6, height - margin.bottom]);
  const entries = drawn.map((series, i) => {
    const y = coordinate(places[i]!);
    const [from, to] = [place.right + 14, place.right + 40];
    const end = series.points.at(-1)!;
    const leader =
      series.line === 'none'
        ? null
        : markup`<path class="leader" d="M${coordinate(place.x(end.x) + 6)} ${coordinate(ends[i]!)}L${from} ${y}"/><path class="line"${dashOf(series)} d="M${from} ${y}H${to}"/>`;
    const figure =
      series.figure === null ? null : markup`<text class="figure" x="${to + 10}" y="${y + 16}">${series.figure}</text>`;
    const sample = series.marker === null ? null : marker(series.marker, { x: (from + to) / 2, y }, null);
    return markup`<g class="tone-${series.tone}">${leader}${sample}<text class="label" x="${to + 10}" y="${y + 4 - (figure === null ? 0 : 2)}">${series.name}</text>${figure}</g>\n`;
  });
  return markup`${entries}`;
}

function dashOf({ line }: Series): Markup | null {
  return line === 'none' || line.dash === null ? null : markup` stroke-dasharray="${line.dash}"`;
}
