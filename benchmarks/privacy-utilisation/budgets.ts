import { parsePlan, type Plan } from '../../src/core/plan/plan.ts';
import { type LedgerChain, noiseMultiplier, spendingOf, spentEpsilon } from '../../src/core/privacy/index.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { admit, commitChanges } from '../../src/coordinator/privacy/ledger-changes.ts';
import { replanned } from '../../src/coordinator/privacy/replanned.ts';
import type { Snapshot } from '../../src/coordinator/run-log.ts';
import { percent, type Setting, settings, type Table } from './settings.ts';

const clients = 5;
const replans = 10;
const stay = 0.85;

type Ended = {
  readonly utilisation: number;
  readonly changes: number;
  readonly rounds: number;
  readonly sampleRate: number;
};

/** The budget that is used at the planned end: without anything going wrong, and with drop-outs and aborted rounds. */
export function utilisationTable(only = settings.map((_, i) => i)): Table {
  const rows = only
    .map((i) => settings[i]!)
    .map((setting) => ({
      setting,
      whole: usedBy(setting, { isDisturbed: false, moves: 'noise' }),
      disturbed: usedBy(setting, { isDisturbed: true, moves: 'noise' }),
      all: usedBy(setting, { isDisturbed: true, moves: 'all' }),
      fixed: usedBy(setting, { isDisturbed: true, moves: 'nothing' }),
    }));
  const lines = rows.map(({ setting: [q, rounds, budget, delta], whole, disturbed, all, fixed }) => {
    const figures = [whole, disturbed, all, fixed].map(({ utilisation }) => percent(utilisation));
    const moved = `${rounds} → ${all.rounds}, ${q} → ${Number(all.sampleRate.toPrecision(3))}`;
    return `| ${[q, rounds, budget, delta, ...figures, moved].join(' | ')} |`;
  });
  const isMet = rows.every(({ whole, disturbed, all }) =>
    [whole, disturbed, all].every(({ utilisation }) => utilisation > 0.9 && utilisation <= 1),
  );
  const head = [
    '| q | rounds | ε | δ | nobody drops out | drop-outs, noise solved anew | drop-outs; noise, q and rounds solved anew | drop-outs, nothing solved anew | rounds and q of the column before that |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  return { lines: [...head, ...lines], isMet };
}

type Course = { readonly isDisturbed: boolean; readonly moves: 'nothing' | 'noise' | 'all' };

/**
 * One run over the coordinator's ledger functions. The rounds between two plans have one noise, so each client reserves
 * those in which it is there together; where they do not fit, as many as fit. An aborted round is given back and opened
 * again with others there. The share is that of the client that has spent most.
 */
function usedBy(setting: Setting, { isDisturbed, moves }: Course): Ended {
  const [planned, count, budget, delta] = setting;
  const rng = createRng(count).child('utilisation', `${budget}`);
  const every = count / replans;
  const plan = planOf(setting, every, moves);
  const subjects = Array.from({ length: clients }, (_, i) => `client-${i}`);
  const grant = { purpose: 'training', epsilon: budget, delta, rule: 'plan', order: 2 } as const;
  const ledger = new Map<string, LedgerChain>();
  const first = noiseMultiplier({ epsilon: budget, delta, sampleRate: planned, steps: count }).noiseMultiplier;
  let course = { noiseMultiplier: first, sampleRate: planned as number, rounds: count as number };
  let changes = 0;
  let seen = { rounds: 0, candidates: 0 };
  const write = (made: ReturnType<typeof admit>['changes']) => {
    for (const change of made) {
      if (change.kind !== 'ledger') throw new Error('a change of the ledger is expected');
      const { subject } = change.entry.event;
      ledger.set(subject, [...(ledger.get(subject) ?? []), change.entry]);
    }
  };
  for (let released = 0; released < course.rounds; ) {
    const privacy = { ...course, plannedNoise: first, released, seen };
    const snapshot = { ledger, run: { privacy } } as unknown as Snapshot;
    const solved = replanned(snapshot, plan, subjects);
    if (solved.reasons.length > 0) changes++;
    course = solved.course;
    const { noiseMultiplier: noise, sampleRate } = course;
    const block = Math.min(every, course.rounds - released);
    let present = 0;
    for (const subject of subjects) {
      let there = 0;
      for (let k = 0; k < block; k++) if (!isDisturbed || rng.float() < stay) there++;
      present += there;
      const terms = { grant, run: 'run', reservation: `run/${released}` };
      const asked = (steps: number) => admit(ledger, [subject], terms, { noiseMultiplier: noise, sampleRate, steps });
      if (there === 0) continue;
      const answer = asked(there);
      const fitting = answer.refused.get(subject)?.fitting.steps ?? there;
      if (fitting > 0) write(fitting === there ? answer.changes : asked(fitting).changes);
    }
    write(commitChanges(ledger, `run/${released}`, `release ${released}`));
    seen = { rounds: block, candidates: present };
    released += block;
  }
  const used = [...ledger.values()].map((chain) => spentEpsilon(spendingOf(chain, 'training')).plan);
  return { utilisation: Math.max(...used) / budget, changes, rounds: course.rounds, sampleRate: course.sampleRate };
}

function planOf([sampleRate, rounds, epsilon, delta]: Setting, every: number, moves: Course['moves']): Plan {
  const replan = {
    sampleRate: [sampleRate / 2, Math.min(1, 2 * sampleRate)],
    rounds: [0.8 * rounds, 1.3 * rounds],
  };
  return parsePlan({
    model: { kind: 'softmax-regression', inputs: 1, classes: 2 },
    cohort: { expected: clients },
    rounds: { count: rounds },
    privacy: {
      mode: 'central',
      epsilon,
      delta,
      sampleRate,
      replanEvery: moves === 'nothing' ? 0 : every,
      ...(moves === 'all' ? { replan } : {}),
    },
  });
}
