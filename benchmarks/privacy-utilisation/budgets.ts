import { parsePlan, type Plan } from '../../src/core/plan/plan.ts';
import { type LedgerChain, noiseMultiplier, spendingOf, spentEpsilon } from '../../src/core/privacy/index.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { admit, commitChanges } from '../../src/coordinator/privacy/ledger-changes.ts';
import { replannedNoise } from '../../src/coordinator/privacy/replanned-noise.ts';
import type { Snapshot } from '../../src/coordinator/run-log.ts';
import { percent, type Setting, settings, type Table } from './settings.ts';

const clients = 5;
const replans = 10;
const stay = 0.85;

type Ended = { readonly utilisation: number; readonly replanned: number };

/** The budget that is used at the planned end: without anything going wrong, and with drop-outs and aborted rounds. */
export function utilisationTable(only = settings.map((_, i) => i)): Table {
  const rows = only
    .map((i) => settings[i]!)
    .map((setting) => ({
      setting,
      whole: usedBy(setting, { isDisturbed: false, isReplanned: true }),
      disturbed: usedBy(setting, { isDisturbed: true, isReplanned: true }),
      fixed: usedBy(setting, { isDisturbed: true, isReplanned: false }),
    }));
  const lines = rows.map(({ setting: [q, rounds, budget, delta], whole, disturbed, fixed }) => {
    const figures = [whole, disturbed, fixed].map(({ utilisation }) => percent(utilisation));
    return `| ${[q, rounds, budget, delta, ...figures, disturbed.replanned].join(' | ')} |`;
  });
  const isMet = rows.every(({ whole, disturbed }) =>
    [whole, disturbed].every(({ utilisation }) => utilisation > 0.9 && utilisation <= 1),
  );
  const head = [
    '| q | rounds | ε | δ | nobody drops out | drop-outs, replanned | drop-outs, never replanned | noise changed |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  return { lines: [...head, ...lines], isMet };
}

type Course = { readonly isDisturbed: boolean; readonly isReplanned: boolean };

/**
 * One run over the coordinator's ledger functions. The rounds between two plans have one noise, so each client reserves
 * those in which it is there together; where they do not fit, as many as fit. An aborted round is given back and opened
 * again with others there. The share is that of the client that has spent most.
 */
function usedBy(setting: Setting, { isDisturbed, isReplanned }: Course): Ended {
  const [sampleRate, rounds, budget, delta] = setting;
  const rng = createRng(rounds).child('utilisation', `${budget}`);
  const every = rounds / replans;
  const plan = planOf(setting, isReplanned ? every : 0);
  const subjects = Array.from({ length: clients }, (_, i) => `client-${i}`);
  const grant = { purpose: 'training', epsilon: budget, delta, rule: 'plan', order: 2 } as const;
  const ledger = new Map<string, LedgerChain>();
  let { noiseMultiplier: noise } = noiseMultiplier({ epsilon: budget, delta, sampleRate, steps: rounds });
  let replanned = 0;
  const write = (changes: ReturnType<typeof admit>['changes']) => {
    for (const change of changes) {
      if (change.kind !== 'ledger') throw new Error('a change of the ledger is expected');
      const { subject } = change.entry.event;
      ledger.set(subject, [...(ledger.get(subject) ?? []), change.entry]);
    }
  };
  for (let block = 0; block < replans; block++) {
    const snapshot = { ledger, run: { privacy: { noiseMultiplier: noise, released: block * every } } };
    const next = replannedNoise(snapshot as unknown as Snapshot, plan, subjects);
    if (next !== noise) replanned++;
    noise = next;
    for (const subject of subjects) {
      let there = 0;
      for (let k = 0; k < every; k++) if (!isDisturbed || rng.float() < stay) there++;
      const terms = { grant, run: 'run', reservation: `run/${block}` };
      const asked = (steps: number) => admit(ledger, [subject], terms, { noiseMultiplier: noise, sampleRate, steps });
      if (there === 0) continue;
      const answer = asked(there);
      const fitting = answer.refused.get(subject)?.fitting.steps ?? there;
      if (fitting > 0) write(fitting === there ? answer.changes : asked(fitting).changes);
    }
    write(commitChanges(ledger, `run/${block}`, `release ${block}`));
  }
  const used = [...ledger.values()].map((chain) => spentEpsilon(spendingOf(chain, 'training')).plan);
  return { utilisation: Math.max(...used) / budget, replanned };
}

function planOf([sampleRate, rounds, epsilon, delta]: Setting, replanEvery: number): Plan {
  return parsePlan({
    model: { kind: 'softmax-regression', inputs: 1, classes: 2 },
    cohort: { expected: clients },
    rounds: { count: rounds },
    privacy: { mode: 'central', epsilon, delta, sampleRate, replanEvery },
  });
}
