// A site under local privacy as a process that does nothing but release: it prints a line for each update that leaves.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import { createFileSiteLedger } from '../../src/adapters/site-ledger-file.ts';
import { createLocalPrivacy } from '../../src/client/local-privacy.ts';
import { parsePlan } from '../../src/core/plan/plan.ts';
import type { Identity } from '../../src/ports/identity.ts';
import type { Trainer } from '../../src/ports/trainer.ts';
import { writeSynced } from '../../src/primitives/synced-file.ts';

const folder = process.argv[2]!;
const path = join(folder, 'identity.json');
const identity = JSON.parse(readFileSync(path, 'utf8')) as Identity;
const local = createLocalPrivacy({
  plan: parsePlan(identity.plan),
  released: identity.local?.released ?? 0,
  answers: identity.local?.reports,
  head: identity.local?.ledger,
  ledger: createFileSiteLedger(folder),
  owner: { subject: identity.clientId, run: identity.runId },
  entropy: createNodeEntropy(),
  save: (next) => writeSynced(path, JSON.stringify({ ...identity, local: next })),
})!;
const trainer = {} as Trainer;
for (let round = 1; ; round++) {
  const reserved = await local.reserve(round, trainer);
  if (!reserved.ok) {
    process.stdout.write(`refused: ${reserved.reason}\n`);
    break;
  }
  const update = local.protect(new Float32Array(8).fill(1));
  await local.commit(new Uint8Array(update.buffer));
  process.stdout.write('released\n');
}
