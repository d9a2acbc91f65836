import process from 'node:process';
import { parseArgs } from 'node:util';
import { readDatasetFolder } from '../adapters/dataset-folder.ts';
import { createBuiltinTrainer } from '../adapters/trainer-builtin.ts';
import { parseLink } from '../client/link.ts';
import { type AttackId, attacks } from '../core/attacks/index.ts';
import { classCountOf } from '../core/learning/model-spec.ts';
import type { Plan } from '../core/plan/plan.ts';
import { joinRun } from '../node/join-run.ts';
import { findUnlocking } from '../node/unlocking.ts';
import { createHostileTrainer } from './hostile-trainer.ts';
import { isPoison, poisonDataset } from './poisoned-data.ts';

// A hostile client as a process of its own: it speaks the protocol faultlessly and lies about its update, or trains on
// data that it has poisoned. Accomplices are named by the folders of their data, each of them in the same order.
const { values } = parseArgs({
  options: {
    link: { type: 'string' },
    data: { type: 'string' },
    state: { type: 'string' },
    attack: { type: 'string' },
    accomplice: { type: 'string', multiple: true },
  },
});
const { link = '', data = '', state = '', attack = '', accomplice = [] } = values;
if (!(attack in attacks) && !isPoison(attack))
  throw new RangeError(
    `Cannot attack as --attack must be one of ${Object.keys(attacks).join(', ')}: current value is "${attack}"`,
  );

await joinRun({
  link: parseLink(link),
  name: 'hostile',
  stateFolder: state,
  unlocking: await findUnlocking(process.env),
  patienceMs: 60_000,
  say: (text) => process.stderr.write(`${text}\n`),
  trainerFor: async (plan) => {
    if (isPoison(attack)) {
      const who = { seed: plan.seed, colluder: Math.max(0, accomplice.indexOf(data)) };
      return createBuiltinTrainer(plan, poisonDataset(await read(plan, data), attack, who));
    }
    const trainers = await Promise.all(accomplice.map((folder) => honest(plan, folder)));
    const together = { trainers, seed: plan.seed, clientCount: plan.cohort.expected };
    return createHostileTrainer(
      await honest(plan, data),
      attack as AttackId,
      accomplice.length === 0 ? undefined : together,
    );
  },
});

async function read(plan: Plan, folder: string) {
  return readDatasetFolder(folder, classCountOf(plan.model));
}

async function honest(plan: Plan, folder: string) {
  return createBuiltinTrainer(plan, await read(plan, folder));
}
