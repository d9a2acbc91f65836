import { bytes } from './kernels/cohort.wasm.ts';

/** The exports of kernels/assembly/cohort.ts; every argument is an address, a count or a number of bytes. */
export type CohortKernels = {
  combine(out: number, table: number, weights: number, n: number, offset: number, count: number): void;
  products(sums: number, v: number, table: number, n: number, offset: number, count: number): void;
  distances(sums: number, v: number, scales: number, table: number, n: number, offset: number, count: number): void;
  norms(sums: number, table: number, n: number, offset: number, count: number): void;
  signs(counts: number, table: number, n: number, offset: number, count: number): void;
  survey(
    members: number,
    unscale: number,
    scratch: number,
    table: number,
    n: number,
    offset: number,
    count: number,
  ): number;
  pack(
    packed: number,
    pitch: number,
    members: number,
    unscale: number,
    table: number,
    n: number,
    offset: number,
    count: number,
  ): void;
  packThrees(
    packed: number,
    pitch: number,
    centre: number,
    members: number,
    unscale: number,
    table: number,
    n: number,
    offset: number,
    count: number,
  ): void;
  gram(gram: number, packed: number, pitch: number, unscale: number, blocks: number, count: number): void;
  mix(
    out: number,
    pitch: number,
    matrix: number,
    p: number,
    table: number,
    n: number,
    offset: number,
    count: number,
  ): void;
  network(tile: number, pitch: number, pairs: number, pairCount: number, count: number): void;
  rankMean(out: number, tile: number, pitch: number, low: number, high: number, count: number): void;
  nearestMean(
    out: number,
    flags: number,
    tile: number,
    pitch: number,
    n: number,
    low: number,
    high: number,
    keep: number,
    count: number,
  ): void;
  gather(out: number, pitch: number, table: number, n: number, offset: number, count: number): void;
  isSuspect(table: number, n: number, offset: number, count: number): number;
};

let module: WebAssembly.Module | undefined;

/** An instance of the kernels over a shared memory. Several instances may share it: they have no state of their own. */
export function instantiateCohortKernels(memory: WebAssembly.Memory): CohortKernels {
  module ??= new WebAssembly.Module(bytes);
  const abort = (): never => {
    throw new Error('Cannot go on as a kernel aborted');
  };
  return new WebAssembly.Instance(module, { env: { memory, abort } }).exports as unknown as CohortKernels;
}
