import type { AggregationReport, RuleResult, ShapeResult } from './result.ts';

type Target = { readonly what: string; readonly goal: string; readonly value: number | null; readonly isMet: boolean };

const gramRules = ['krum', 'multi-krum', 'geometric-median', 'centered-clipping × 3', 'nnm → mean'];

/** The goals of the engine and what this run says of them; those whose shapes were not run are left out. */
export function targetsOf({ shapes, distanceError, threads, spooled }: AggregationReport): Target[] {
  const at = (n: number, d: number): ShapeResult | undefined => shapes.find((each) => each.n === n && each.d === d);
  const least = (what: string, goal: number, value: number | null | undefined, unit = ' ×'): Target[] =>
    value === undefined ? [] : [{ what, goal: `≥ ${goal}${unit}`, value, isMet: value !== null && value >= goal }];
  const most = (what: string, goal: number, value: number | null | undefined, unit = ''): Target[] =>
    value === undefined || value === null ? [] : [{ what, goal: `≤ ${goal}${unit}`, value, isMet: value <= goal }];
  const rule = (shape: ShapeResult | undefined, name: string): RuleResult | undefined =>
    shape?.rules.find((each) => each.rule === name);
  const [ten, hundred] = [at(10, 1e6), at(100, 1e6)];
  const percent = (value: number | undefined): number | undefined => (value === undefined ? undefined : value * 100);
  return [
    ...least('mean, share of read bandwidth', 85, percent(rule(hundred, 'mean')?.shareOfRead), ' %'),
    ...least('clipping, share of read bandwidth', 85, percent(rule(hundred, 'clipping → mean')?.shareOfRead), ' %'),
    ...least('median, n = 10, numpy', 60, rule(ten, 'median')?.numpy),
    ...least('median, n = 100, numpy', 15, rule(hundred, 'median')?.numpy),
    ...least('trimmed mean, n = 100, numpy', 12, rule(hundred, 'trimmed-mean')?.numpy),
    ...gramRules.flatMap((name) => {
      const found = rule(hundred, name);
      return [
        ...least(`${name}, Flower's way`, 12, found?.flower),
        ...least(`${name}, numpy's best`, 0.4, found?.numpy),
        ...(found?.nativeMs === null ? [] : least(`${name}, numpy's best, native`, 0.9, found?.nativeNumpy)),
      ];
    }),
    ...most('distances at 0.2 %, relative error', 1e-6, distanceError),
    ...most('spooled 100 × 1e7, MB resident', 400, spooled?.peakMegabytes),
    ...Object.entries(threads ?? {}).flatMap(([name, { speedup }]) => least(`two workers, ${name}`, 1.7, speedup)),
  ];
}
