import { Buffer } from 'node:buffer';
import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CellOutcome } from '../core/report/lab/record.ts';

type Line = { readonly key: string; readonly outcome: CellOutcome; readonly seconds: number };

/** Finished cells on disk, one a line: what a killed matrix goes on from. */
export type CellLog = {
  readonly outcomes: ReadonlyMap<string, CellOutcome>;
  /** Adds a cell; it is on the disk when this returns. */
  append(line: Line): void;
  close(): void;
};

/** Opens the log, and cuts off a last line that a kill left half-written. */
export function openCellLog(path: string): CellLog {
  mkdirSync(dirname(path), { recursive: true });
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const file = openSync(path, existsSync(path) ? 'r+' : 'w+');
  if (whole.length < text.length) ftruncateSync(file, Buffer.byteLength(whole));
  const lines = whole.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]));
  const outcomes = new Map(lines.map(({ key, outcome }) => [key, outcome]));
  let end = Buffer.byteLength(whole);
  return {
    outcomes,
    append(line) {
      end += writeSync(file, `${JSON.stringify(line)}\n`, end);
      fsyncSync(file);
      outcomes.set(line.key, line.outcome);
    },
    close: () => closeSync(file),
  };
}
