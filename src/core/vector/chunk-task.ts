import type { ColumnRule, Mixing } from '../../ports/compute.ts';

/** Columns that stream at once where rows lie in memory: each run of a row is half a megabyte, and what it is added to stays in the cache. */
export const runWidth = 131072;

/** What a chunk is made of: columns that are summed by themselves. */
const streamWidth = 32768;

/**
 * Columns per chunk, the unit of work: about 16 MiB over all rows. It depends on n alone and sums are added chunk by chunk
 * in order, so the bits depend on no thread count.
 */
export function chunkWidth(n: number): number {
  return streamWidth * Math.max(1, Math.floor(128 / n));
}

/** Rows that are read side by side in place; more of them outrun what the processor prefetches. */
export const streamsMax = 48;
export const gramTile = 1024;
/** Columns that are looked at together before they are packed. */
export const gramBlock = 4096;
/** From one packed block of three rows to the next. */
export const gramPitch = gramTile * 12 + 64;

/** Work on one chunk of columns; plain data, so that it can be posted to a worker. `addresses` say where its rows begin. */
export type ChunkTask = {
  readonly addresses: readonly number[];
  /** Columns, rounded up to a multiple of 8; what is read beyond the rows is zero. */
  readonly count: number;
  /** Columns of a chunk: a task may hold several, each with sums of its own, one after the other. */
  readonly chunk: number;
  /** Where this lane may work: at least `scratchBytes` from here on. */
  readonly scratch: number;
  readonly work:
    | { readonly kind: 'gram' }
    | { readonly kind: 'star'; readonly reference: number | null }
    | { readonly kind: 'signs' }
    | {
        readonly kind: 'distances';
        readonly out: number;
        readonly weights: readonly number[];
        readonly scales: readonly number[];
      }
    | { readonly kind: 'combine'; readonly out: number; readonly weights: readonly number[]; readonly dots: boolean }
    | {
        readonly kind: 'columns';
        readonly out: number;
        readonly rule: ColumnRule;
        readonly mixing: Mixing | null;
        readonly dots: boolean;
      };
};

/** Sums by chunk, and whether a value that is not finite was met (the sums mean nothing then). */
export type ChunkResult = { readonly isBroken: boolean; readonly sums: Float64Array };

/** Rows of the packed Gram tile: the rows, their centre, and zeros up to whole blocks of three. */
export function gramSize(n: number): number {
  return Math.ceil((n + 1) / 3) * 3;
}

/** Columns per tile for the rules on coordinates: about 256 KiB over all rows, so that a tile stays in the cache. */
export function columnTile(n: number): number {
  return Math.max(32, Math.min(1024, Math.floor(65536 / n / 32) * 32));
}

/**
 * Columns whose weighted sum is made before rows are compared with it. Up to 128 rows the tile is still near then; of more
 * rows a whole chunk streams twice, which shorter runs would not.
 */
export function distanceTile(n: number): number {
  return n <= 128 ? 4096 : streamWidth;
}

/** Memory that one lane needs for any work on n rows and `mixed` mixtures of them. */
export function scratchBytes(n: number, mixed: number, work: ChunkTask['work']['kind']): number {
  const lists = 64 * (n + 8);
  if (work === 'gram') {
    return (
      lists + 8 * gramSize(n) ** 2 + (gramSize(n) / 3) * gramPitch + 16 * gramSize(n) + gramTile * 4 + 16 * (n + 8)
    );
  }
  if (work !== 'columns') return lists;
  const rows = Math.max(n, mixed);
  const pairs = 8 * Math.ceil((rows * Math.log2(rows + 1) ** 2) / 2 + 64);
  return lists + rows * (columnTile(rows) * 4 + 64) + 4 * n * mixed + pairs + 2 * columnTile(rows) * 4 + 4096;
}

/**
 * Chunks that make one task for a thread that has all rows in memory: work that reads row by row and keeps nothing beside
 * the sums of each chunk. Their number changes no bit.
 */
export function chunksByTask(n: number, work: ChunkTask['work']): number {
  const isStream = (work.kind === 'star' && work.reference === null) || (work.kind === 'combine' && !work.dots);
  return isStream ? Math.ceil(runWidth / chunkWidth(n)) : 1;
}

/** The work of a task of one kind. */
export type Work<K extends ChunkTask['work']['kind']> = Extract<ChunkTask['work'], { readonly kind: K }>;

/** A value that is not finite was met. */
export const broken: ChunkResult = { isBroken: true, sums: new Float64Array() };
