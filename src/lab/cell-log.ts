import { Buffer } from 'node:buffer';
import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { takeFileLock } from '../adapters/file-lock.ts';
import type { CellOutcome } from '../core/report/lab/record.ts';

type Line<Outcome> = { readonly key: string; readonly outcome: Outcome; readonly seconds: number };

/** Finished cells on disk, one a line: what a killed matrix goes on from. */
export type CellLog<Outcome = CellOutcome> = {
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Keeps other processes from adding cells, and reads what they have added; RangeError where one is at it. */
  claim(): void;
  /** Adds a cell, claiming the log where that has not been done; the cell is on the disk when this returns. */
  append(line: Line<Outcome>): void;
  close(): void;
};

/** Opens the log to be read; the first claim of it cuts off a last line that a kill left half-written. */
export function openCellLog<Outcome = CellOutcome>(path: string): CellLog<Outcome> {
  const outcomes = new Map<string, Outcome>();
  let claimed: { readonly file: number; readonly lock: { release(): void } } | undefined;
  let end = readLines();

  /** Gives the bytes of the whole lines. */
  function readLines(): number {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    for (const line of whole.split('\n')) {
      if (line === '') continue;
      const { key, outcome } = JSON.parse(line) as Line<Outcome>;
      outcomes.set(key, outcome);
    }
    return Buffer.byteLength(whole);
  }

  function claim(): number {
    if (claimed !== undefined) return claimed.file;
    mkdirSync(dirname(path), { recursive: true });
    const lock = takeFileLock(`${path}.lock`);
    if (lock === undefined) {
      throw new RangeError(`Cannot run into ${dirname(path)} as no other process may be running into it: one is`);
    }
    end = readLines();
    const file = openSync(path, existsSync(path) ? 'r+' : 'w+');
    ftruncateSync(file, end);
    claimed = { file, lock };
    return file;
  }

  return {
    outcomes,
    claim: () => void claim(),
    append(line) {
      const file = claim();
      end += writeSync(file, `${JSON.stringify(line)}\n`, end);
      fsyncSync(file);
      outcomes.set(line.key, line.outcome);
    },
    close() {
      if (claimed === undefined) return;
      closeSync(claimed.file);
      claimed.lock.release();
      claimed = undefined;
    },
  };
}
