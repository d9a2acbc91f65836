import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createNodeCrypto } from '../adapters/crypto-node.ts';
import type { ProofKeys } from '../ports/proof-keys.ts';

const names = ['tree-head.seed', 'model-card.seed', 'export-list.seed', 'pseudonym.key'] as const;

/**
 * The keys that prove afterwards what happened, each for one purpose, as files of mode 0600. What is missing is made: a
 * folder of an earlier version has none.
 */
export async function openProofKeys(folder: string): Promise<ProofKeys> {
  const { importSigningKey } = createNodeCrypto();
  const [treeHead, modelCard, exportList, pseudonym] = await Promise.all(names.map((name) => secretOf(folder, name)));
  return {
    treeHead: importSigningKey(treeHead!),
    modelCard: importSigningKey(modelCard!),
    exportList: importSigningKey(exportList!),
    pseudonym: pseudonym!,
  };
}

async function secretOf(folder: string, name: string): Promise<Uint8Array> {
  const path = join(folder, name);
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const secret = randomBytes(32);
  const aside = `${path}.${randomBytes(4).toString('hex')}.part`;
  const file = await open(aside, 'wx', 0o600);
  try {
    await file.writeFile(secret);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  return secret;
}
