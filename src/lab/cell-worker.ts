import { parentPort, workerData } from 'node:worker_threads';
import type { CellOutcome } from '../core/report/lab/record.ts';
import type { Pool } from '../simulation/index.ts';
import type { CellDefinition } from './cells.ts';
import { runCell } from './run-cell.ts';

/** What a lab thread answers. */
export type CellAnswer =
  | { readonly ok: true; readonly outcome: CellOutcome; readonly seconds: number }
  | { readonly ok: false; readonly message: string };

// A thread that runs one cell at a time.
const { pool } = workerData as { readonly pool: Pool | undefined };

async function answer(definition: CellDefinition): Promise<CellAnswer> {
  const begunMs = performance.now();
  try {
    const outcome = await runCell(definition, pool);
    return { ok: true, outcome, seconds: (performance.now() - begunMs) / 1000 };
  } catch (error) {
    return { ok: false, message: (error as Error).stack ?? String(error) };
  }
}

parentPort!.on('message', (definition: CellDefinition) => {
  void answer(definition).then((result) => parentPort!.postMessage(result));
});
