import { Worker } from 'node:worker_threads';
import type { Pool } from '../simulation/index.ts';
import type { CellAnswer } from './cell-worker.ts';
import type { Cell } from './cells.ts';

/** Worker threads, one cell each at a time. */
export type Crew = {
  /** Runs cells until none is left or `stop` is asked for; `done` is called as each one ends, in any order. */
  run(cells: readonly Cell[], done: (cell: Cell, answer: CellAnswer) => void): Promise<void>;
  /** Hands nothing more out, and ends the threads with what they are at. */
  stop(): Promise<void>;
};

export function createCrew(pool: Pool | undefined, threads: number): Crew {
  const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = new URL(`./cell-worker.${suffix}`, import.meta.url);
  const workers: Worker[] = [];
  let isStopped = false;

  function work(waiting: Cell[], done: (cell: Cell, answer: CellAnswer) => void): Promise<void> {
    const worker = new Worker(program, { workerData: { pool } });
    workers.push(worker);
    return new Promise((resolve, reject) => {
      let current: Cell | undefined;
      const next = () => {
        current = isStopped ? undefined : waiting.shift();
        if (current === undefined) void worker.terminate();
        else worker.postMessage(current.definition);
      };
      worker.on('message', (answer: CellAnswer) => {
        done(current!, answer);
        next();
      });
      worker.once('error', reject);
      worker.once('exit', () => resolve());
      next();
    });
  }

  return {
    async run(cells, done) {
      const waiting = [...cells];
      const count = Math.max(1, Math.min(threads, cells.length));
      await Promise.all(Array.from({ length: count }, () => work(waiting, done)));
    },
    async stop() {
      isStopped = true;
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
