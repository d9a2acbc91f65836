import { Buffer } from 'node:buffer';
import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CellOutcome } from '../core/report/lab/record.ts';

type Line<Outcome> = { readonly key: string; readonly outcome: Outcome; readonly seconds: number };

/** Finished cells on disk, one a line: what a killed matrix goes on from. */
export type CellLog<Outcome = CellOutcome> = {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Adds a cell; it is on the disk when this returns. */
  append(line: Line<Outcome>): void;
  close(): void;
};

/** Opens the log, and cuts off a last line that a kill left half-written. */
export function openCellLog<Outcome = CellOutcome>(path: string): CellLog<Outcome> {
  mkdirSync(dirname(path), { recursive: true });
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const file = openSync(path, existsSync(path) ? 'r+' : 'w+');
  if (whole.length < text.length) ftruncateSync(file, Buffer.byteLength(whole));
  const lines = whole.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line<Outcome>]));
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
