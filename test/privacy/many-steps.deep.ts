// More compositions of many steps, and longer ones, by the inverted transform.
import { test } from 'node:test';
import { checkPoint, gaussianPoint, laplacePoint, type Sampled } from './many-steps.ts';

const gaussians: readonly (readonly [delta: number, ...rows: readonly Sampled[]])[] = [
  [1e-5, [1, 0.01, 4096]],
  [1e-9, [2, 0.2, 2048]],
  [1e-7, [1, 0.001, 32_768]],
  [1e-6, [0.5, 0.001, 5000]],
  [1e-10, [10, 0.5, 10_000]],
  [1e-18, [2, 0.02, 4096]],
  [1e-6, [0.7, 0.003, 1500], [1.1, 0.02, 900], [3, 0.2, 2000]],
  [1e-4, [20, 0.9, 5000]],
  [1e-8, [0.4, 1e-4, 20_000]],
  [1e-5, [50, 0.01, 1_000_000]],
  [1.97e-13, [0.72, 0.000234, 14_350]],
  [6.8e-4, [0.451, 0.000665, 343], [6.21, 0.00437, 1295]],
];
for (const [delta, ...rows] of gaussians) {
  const point = gaussianPoint(delta, rows, { fineness: 32 });
  test(point.name, () => checkPoint(point, 5e-4));
}
for (const rows of [
  [[1, 0.01, 1024]],
  [[3, 0.1, 5000]],
  [
    [2, 0.05, 1200],
    [6, 0.5, 1100],
  ],
] as const) {
  const point = gaussianPoint(1e-6, rows, { adjacency: 'replace-one', fineness: 32 });
  test(point.name, () => checkPoint(point, 5e-4));
}
for (const [delta, row] of [
  [1e-9, [60, 1, 16_384]],
  [1e-5, [10, 0.1, 8192]],
  [1e-12, [20, 0.7, 2048]],
  [1e-6, [1, 0.005, 20_000]],
] as const) {
  const point = laplacePoint(delta, row);
  test(point.name, () => checkPoint(point));
}
