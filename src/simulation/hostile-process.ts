import process from 'node:process';
import { parseArgs } from 'node:util';
import { readDatasetFolder } from '../adapters/dataset-folder.ts';
import { createBuiltinTrainer } from '../adapters/trainer-builtin.ts';
import { parseLink } from '../client/link.ts';
import { type AttackId, attacks } from '../core/attacks/index.ts';
import { classCountOf } from '../core/learning/model-spec.ts';
import { joinRun } from '../node/join-run.ts';
import { findUnlocking } from '../node/unlocking.ts';
import { createHostileTrainer } from './hostile-trainer.ts';

// A hostile client as a process of its own: it speaks the protocol faultlessly and lies about its update.
const { values } = parseArgs({
  options: {
    link: { type: 'string' },
    data: { type: 'string' },
    state: { type: 'string' },
    attack: { type: 'string' },
  },
});
const { link = '', data = '', state = '', attack = '' } = values;
if (!(attack in attacks))
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
  trainerFor: async (plan) =>
    createHostileTrainer(
      createBuiltinTrainer(plan, await readDatasetFolder(data, classCountOf(plan.model))),
      attack as AttackId,
    ),
});
