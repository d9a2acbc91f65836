import { originOf } from '../../src/core/transparency/checkpoint.ts';
import { exportListText, signExportList } from '../../src/core/transparency/export-list.ts';
import { proofFiles } from '../../src/core/transparency/export-proof.ts';
import { crypto, proofKeys, type World } from './world.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

/** What `qflare export` writes of a world, as files in memory. */
export async function exportOf(
  { coordinator, parts }: Pick<World, 'coordinator' | 'parts'>,
  keys = proofKeys,
): Promise<Map<string, Uint8Array>> {
  const rows = await coordinator.journal(0);
  const { models, run } = coordinator.snapshot();
  const { hash } = models.at(-1)!;
  const files = new Map([
    ['journal.jsonl', utf8(rows.map(({ text }) => `${text}\n`).join(''))],
    ['model.safetensors', (await parts.blobs.get(hash))!],
    ['card.json', (await parts.blobs.get(run.cards[hash]!))!],
    ['metrics.csv', utf8('round,accuracy\n1,0.5\n')],
  ]);
  const proof = proofFiles(rows, { origin: originOf(parts), key: keys.treeHead }, crypto.sha256);
  for (const [name, text] of Object.entries(proof)) files.set(name, utf8(text));
  listAnew(files, keys);
  return files;
}

/** Signs the list of an export's files as they are now. */
export function listAnew(files: Map<string, Uint8Array>, keys = proofKeys): void {
  files.delete('SHA256SUMS');
  files.delete('SHA256SUMS.sig');
  const list = utf8(
    exportListText([...files].map(([name, bytes]) => ({ name, sha256: crypto.sha256(bytes).toHex() }))),
  );
  files.set('SHA256SUMS', list).set('SHA256SUMS.sig', signExportList(list, keys.exportList));
}
