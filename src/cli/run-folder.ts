import { open } from 'node:fs/promises';
import type { Coordinator } from '../coordinator/coordinator.ts';
import { followJournal } from '../coordinator/journal-feed.ts';
import type { RunRecord } from '../core/round/run-record.ts';
import { metricsCsv } from '../core/report/csv.ts';
import { renderReport } from '../core/report/html.ts';
import { encodeSafetensors, safetensorsHeadBytes, safetensorsLayout } from '../core/model/safetensors.ts';
import { tensor } from '../core/model/manifest.ts';
import { decodeVectors } from '../core/learning/vectors.ts';
import { type Paths, writeWhole } from './coordinator-folder.ts';

/** Keeps journal.jsonl up to date while the run goes on. The database is the truth; the file is written anew at start. */
export async function writeJournal(paths: Paths, coordinator: Coordinator): Promise<() => Promise<void>> {
  const file = await open(paths.journal, 'w', 0o600);
  const feed = followJournal(coordinator, 0, (rows) => file.appendFile(rows.map((row) => `${row.text}\n`).join('')));
  return async () => {
    try {
      await feed.stop();
      await file.sync();
    } finally {
      await file.close();
    }
  };
}

/** Writes what a run leaves behind beside its journal: the newest model, the table and the report. */
export async function writeOutputs(
  paths: Paths,
  coordinator: Coordinator,
  { record, isModelPlain }: { readonly record: RunRecord; readonly isModelPlain: boolean },
): Promise<void> {
  const { models, run } = coordinator.snapshot();
  const newest = models.at(-1);
  const model = isModelPlain && newest ? await coordinator.model(newest.hash) : undefined;
  if (model !== undefined) {
    await writeWhole(paths.model, model);
    const rest = await restOf(model, coordinator);
    if (rest !== undefined) await writeWhole(paths.modelRest, rest);
  }
  const cardHash = newest && run.cards[newest.hash];
  const card = cardHash === undefined ? undefined : await coordinator.model(cardHash);
  if (card !== undefined) await writeWhole(paths.card, card);
  await writeWhole(paths.metrics, metricsCsv(record));
  await writeWhole(paths.record, `${JSON.stringify(record)}\n`);
  await writeWhole(paths.report, renderReport(record));
}

/** What float32 left of a model that was solved for, laid out like it: their sum is the solution. Undefined for others. */
async function restOf(model: Uint8Array, coordinator: Coordinator): Promise<Uint8Array | undefined> {
  const head = model.subarray(0, safetensorsHeadBytes(model.subarray(0, 8)));
  const { tensors, metadata } = safetensorsLayout(head, model.length);
  const hash = metadata['qflare.optimizer'];
  const bytes = hash === undefined ? undefined : await coordinator.model(hash);
  const low = bytes === undefined ? undefined : decodeVectors(bytes).vectors['low'];
  if (low === undefined) return undefined;
  return encodeSafetensors(
    tensors.map(({ name, shape }) => tensor(name, ...shape)),
    low,
    { format: 'pt' },
  );
}
