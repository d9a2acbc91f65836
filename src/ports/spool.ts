import type { Row } from './compute.ts';

/** A row that is being filled: values in order, and the row once all of them are in. */
export type RowWriter = {
  /** The array may be used again when it has resolved. */
  append(values: Float32Array): Promise<void>;
  finish(): Promise<Row>;
  /** Gives the memory or the file back; the row must not be used any more. */
  release(): Promise<void>;
};

/** Where the opened rows of a round are kept. Nobody but this process can read them, and they end with it. */
export type Spool = { begin(length: number): Promise<RowWriter> };
