import type { ColumnRule } from '../../ports/compute.ts';
import type { Graph, Node } from './simd-expression.ts';
import { createGraph, unsigned } from './simd-expression.ts';
import { sortingNetwork } from './sorting-network.ts';

/**
 * (tile, out, flags, vectors) → 1 when a flag was set. Works on `vectors` × 4 columns; a flag byte by vector is set
 * where the result needs a second look: a value is not finite, a sum overflowed, or two values are as good as equally near.
 */
export type ColumnKernel = (tile: number, out: number, flags: number, vectors: number) => number;

/** The largest n for which a whole network is written out as straight-line code. */
const emittedRowsMax = 128;

/** True when a rule on n rows is computed by an emitted kernel. */
export function isEmitted(rule: ColumnRule, n: number): boolean {
  return n <= emittedRowsMax || rule.kind === 'sign-majority' || rule.kind === 'sign-flip';
}

const modules = new Map<string, WebAssembly.Module>();

/**
 * A kernel for exactly n rows that lie `pitch` bytes apart: a sorting network pruned to the ranks wanted, written out as
 * straight-line SIMD, one coordinate a lane. Modules are kept: a second call with the same n, pitch and rule is free.
 */
export function columnKernel(rule: ColumnRule, n: number, pitch: number, memory: WebAssembly.Memory): ColumnKernel {
  const key = JSON.stringify([rule, n, pitch]);
  let module = modules.get(key);
  if (module === undefined) {
    module = new WebAssembly.Module(emitModule(rule, n, pitch) as BufferSource);
    if (modules.size >= 64) modules.delete(modules.keys().next().value!);
    modules.set(key, module);
  }
  return new WebAssembly.Instance(module, { env: { memory } }).exports['run'] as ColumnKernel;
}

/** The value of a rule and the lanes that need a second look. */
function expressions(graph: Graph, rule: ColumnRule, n: number): { value: Node; doubt: Node } {
  const rows = Array.from({ length: n }, (_, i) => graph.row(i));
  const { value, near } = valueOf(graph, rule, rows);
  const zero = graph.constant(0);
  // x · 0 is 0 for a finite x and NaN otherwise; a sum of rows that overflows is looked at again for nothing, once.
  // Rows are loaded again for it: to keep all of them would cost the network its registers.
  const again = rows.map((_, i) => graph.row(i, 1));
  const all = graph.binary('add', graph.tree('add', again), value);
  const broken = graph.binary('ne', graph.binary('mul', all, zero), zero);
  return { value: graph.binary('add', value, zero), doubt: near === null ? broken : graph.binary('or', broken, near) };
}

function valueOf(graph: Graph, rule: ColumnRule, rows: readonly Node[]): { value: Node; near: Node | null } {
  switch (rule.kind) {
    case 'ranks':
      return { value: meanOf(graph, sorted(graph, rows).slice(rule.low, rule.high)), near: null };
    case 'nearest':
      return nearest(graph, sorted(graph, rows), rule);
    case 'sign-majority':
      return { value: signOf(graph, signSum(graph, rows)), near: null };
    case 'sign-flip': {
      const strength = graph.unary('abs', graph.unary('convert', signSum(graph, rows)));
      const isWeak = graph.binary('lt', strength, graph.constant(rule.threshold));
      const mean = meanOf(graph, rows);
      const twice = graph.binary('and', isWeak, graph.binary('add', mean, mean));
      return { value: graph.binary('sub', mean, twice), near: null };
    }
  }
}

/** Rows from which on values are compared as integers: some processors do twice as many of those in a cycle. */
const integerRowsMin = 12;

function sorted(graph: Graph, rows: readonly Node[]): Node[] {
  const isInteger = rows.length >= integerRowsMin;
  const ranks = isInteger ? rows.map((row) => orderKey(graph, row)) : [...rows];
  for (const [low, high] of sortingNetwork(rows.length)) {
    const [a, b] = [ranks[low]!, ranks[high]!];
    ranks[low] = graph.binary(isInteger ? 'minInt' : 'pmin', a, b);
    ranks[high] = graph.binary(isInteger ? 'maxInt' : 'pmax', b, a);
    graph.schedule(ranks[low], ranks[high]);
  }
  return isInteger ? ranks.map((key) => orderKey(graph, key)) : ranks;
}

/** An integer that orders as the float does, and back: a negative one has all bits but the sign turned over. */
function orderKey(graph: Graph, value: Node): Node {
  return graph.binary('xor', value, graph.unary('abs', graph.unary('signInt', value)));
}

function meanOf(graph: Graph, nodes: readonly Node[]): Node {
  if (nodes.length === 1) return nodes[0]!;
  return graph.binary('mul', graph.tree('add', nodes), graph.constant(1 / nodes.length));
}

/**
 * The mean of the `keep` sorted values nearest to a centre m: a window that starts at the first j where
 * m − s_j ≤ s_{j+keep} − m. Each value is masked in or out, so that a huge one that is out leaves no trace.
 */
function nearest(
  graph: Graph,
  ranks: readonly Node[],
  rule: Extract<ColumnRule, { kind: 'nearest' }>,
): { value: Node; near: Node | null } {
  const { keep, low, high } = rule;
  const centre = meanOf(graph, ranks.slice(low, high));
  const slack = graph.binary('mul', graph.unary('abs', centre), graph.constant(2e-7));
  const moves: Node[] = [];
  const doubts: Node[] = [];
  for (let j = 0; j + keep < ranks.length; j++) {
    const below = graph.binary('sub', centre, ranks[j]!);
    const above = graph.binary('sub', ranks[j + keep]!, centre);
    moves.push(graph.binary('gt', below, above));
    const width = graph.binary('add', below, above);
    const limit = graph.binary('add', graph.binary('mul', width, graph.constant(2e-6)), slack);
    const isClose = graph.binary('lt', graph.unary('abs', graph.binary('sub', below, above)), limit);
    doubts.push(graph.binary('and', isClose, graph.binary('gt', width, graph.constant(0))));
  }
  const kept = ranks.map((value, i) => {
    const entered = i < keep ? value : graph.binary('and', value, moves[i - keep]!);
    return moves[i] === undefined ? entered : graph.binary('andnot', entered, moves[i]);
  });
  const value = graph.binary('mul', graph.tree('add', kept), graph.constant(1 / keep));
  return { value, near: doubts.length === 0 ? null : graph.tree('or', doubts) };
}

/** Σ sign(x) as integers: a comparison is −1 where it holds. */
function signSum(graph: Graph, rows: readonly Node[]): Node {
  const zero = graph.constant(0);
  const signs = rows.map((row) => graph.binary('subInt', graph.binary('lt', row, zero), graph.binary('gt', row, zero)));
  return graph.tree('addInt', signs);
}

function signOf(graph: Graph, sum: Node): Node {
  const zero = graph.constant(0);
  const value = graph.unary('convert', sum);
  const one = (condition: Node): Node => graph.binary('and', condition, graph.constant(1));
  return graph.binary('sub', one(graph.binary('gt', value, zero)), one(graph.binary('lt', value, zero)));
}

const [tileLocal, outLocal, flagsLocal, vectorsLocal, anyLocal, flagLocal] = [0, 1, 2, 3, 4, 5];
const firstVectorLocal = 6;
const i32 = 0x7f;
const v128 = 0x7b;

/** A module with one function: a loop over the vectors around the emitted expressions. */
function emitModule(rule: ColumnRule, n: number, pitch: number): Uint8Array {
  const code: number[] = [];
  const free: number[] = [];
  let locals = firstVectorLocal;
  const graph = createGraph();
  const { value, doubt } = expressions(graph, rule, n);
  code.push(0x03, 0x40, 0x20, outLocal);
  const emitter = {
    push: (...bytes: number[]) => void code.push(...bytes),
    takeLocal: () => free.pop() ?? locals++,
    giveLocal: (local: number) => void free.push(local),
    loadRow: (row: number) => void code.push(0x20, tileLocal, 0xfd, 0x00, 0x04, ...unsigned(row * pitch)),
  };
  graph.emit([value, doubt], emitter, () => code.push(0xfd, 0x0b, 0x04, 0x00, 0x20, flagsLocal));
  code.push(0xfd, 0x53, 0x22, flagLocal, 0x3a, 0x00, 0x00);
  code.push(0x20, flagLocal, 0x20, anyLocal, 0x72, 0x21, anyLocal);
  for (const [local, step] of [
    [tileLocal, 16],
    [outLocal, 16],
    [flagsLocal, 1],
  ] as const) {
    code.push(0x20, local, 0x41, step, 0x6a, 0x21, local);
  }
  code.push(0x20, vectorsLocal, 0x41, 0x01, 0x6b, 0x22, vectorsLocal, 0x0d, 0x00, 0x0b, 0x20, anyLocal, 0x0b);
  const body = [2, 2, i32, ...unsigned(locals - firstVectorLocal), v128, ...code];
  return assemble(body);
}

const wasmHeader = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** Sections: one type (i32 × 4 → i32), env.memory shared, one function, exported as `run`. */
function assemble(body: readonly number[]): Uint8Array {
  const section = (id: number, bytes: readonly number[]): number[] => [id, ...unsigned(bytes.length), ...bytes];
  const text = (name: string): number[] => [name.length, ...new TextEncoder().encode(name)];
  return Uint8Array.from([
    ...wasmHeader,
    ...section(1, [1, 0x60, 4, i32, i32, i32, i32, 1, i32]),
    ...section(2, [1, ...text('env'), ...text('memory'), 0x02, 0x03, 0x01, ...unsigned(65536)]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text('run'), 0x00, 0x00]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}
