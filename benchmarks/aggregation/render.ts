import type { AggregationReport, RuleResult, ShapeResult } from './result.ts';
import { targetsOf } from './targets.ts';

const columns: readonly [title: string, width: number, of: (rule: RuleResult) => string][] = [
  ['rule', -22, ({ rule }) => rule],
  ['ms', 9, ({ ms }) => ms.toFixed(2)],
  ['× mean', 7, ({ timesMean }) => timesMean.toFixed(1)],
  ['GB/s', 6, ({ gigabytesPerSecond }) => gigabytesPerSecond.toFixed(1)],
  ['of read', 8, ({ shareOfRead }) => percent(shareOfRead)],
  ['of copy', 8, ({ shareOfCopy }) => percent(shareOfCopy)],
  ['Flower', 7, ({ flower }) => ratio(flower)],
  ['numpy', 7, ({ numpy }) => ratio(numpy)],
  ['native ms', 10, ({ nativeMs }) => ratio(nativeMs)],
  ['Flower', 7, ({ nativeFlower }) => ratio(nativeFlower)],
  ['numpy', 7, ({ nativeNumpy }) => ratio(nativeNumpy)],
];

/** The report as text. Columns named after a peer say how many times faster than the peer a rule is. */
export function render(report: AggregationReport): string {
  const lines = report.shapes.flatMap(shapeLines);
  if (report.threads !== null) {
    lines.push('', 'one worker thread and two, 100 × 1e6, wall time:');
    for (const [name, { one, two, speedup, byWork }] of Object.entries(report.threads)) {
      lines.push(
        `  ${name}: ${one.toFixed(0)} ms on one, ${two.toFixed(0)} ms on two, ${speedup.toFixed(2)} × (by processor time ${byWork.toFixed(2)} ×)`,
      );
    }
  }
  if (report.spooled !== null) {
    const { n, d, megabytesOnDisk, seconds, peakMegabytes } = report.spooled;
    const times = Object.entries(seconds).map(([rule, value]) => `${rule} ${value.toFixed(1)} s`);
    const place = `${n} × ${exponent(d)} on disk (${megabytesOnDisk.toFixed(0)} MB)`;
    lines.push('', `${place}: ${times.join(', ')}, ${peakMegabytes.toFixed(0)} MB resident at the peak`);
  }
  const targets = targetsOf(report).map(({ what, goal, value, isMet }) => {
    const shown = value === null ? '–' : value < 0.001 ? value.toExponential(1) : ratio(value);
    return `  ${what.padEnd(44)} ${goal.padStart(9)} ${shown.padStart(8)}  ${isMet ? 'met' : 'missed'}`;
  });
  if (targets.length > 0) lines.push('', 'goals:', ...targets);
  return `${lines.join('\n')}\n`;
}

function shapeLines(shape: ShapeResult): string[] {
  const { n, d, gramGigaflops, cohortMegabytes, peakMegabytes, readGigabytes, copyGigabytes, numpy } = shape;
  const product = numpy === null ? '' : `; numpy ${numpy.version}: ${numpy.productGigaflops.toFixed(0)} GFLOP/s`;
  return [
    '',
    `${n} × ${exponent(d)}: read ${readGigabytes.toFixed(1)} GB/s, copy ${copyGigabytes.toFixed(1)} GB/s (both directions),`,
    `  Gram ${gramGigaflops.toFixed(1)} GFLOP/s${product || '; no numpy'}; peak ${peakMegabytes.toFixed(0)} MB, of which the cohort ${cohortMegabytes.toFixed(0)}`,
    row(columns.map(([title]) => title)),
    ...shape.rules.map((rule) => row(columns.map(([, , of]) => of(rule)))),
  ];
}

function row(cells: readonly string[]): string {
  const padded = cells.map((cell, i) => {
    const width = columns[i]![1];
    return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
  });
  return `  ${padded.join(' ')}`.trimEnd();
}

function percent(value: number): string {
  return `${(value * 100).toFixed(0)} %`;
}

function ratio(value: number | null): string {
  return value === null ? '–' : value.toFixed(value < 10 ? 2 : 1);
}

function exponent(d: number): string {
  return d.toExponential(0).replace('+', '');
}
