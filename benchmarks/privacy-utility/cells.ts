import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AttackId } from '../../src/core/attacks/index.ts';
import type { Mode } from './federation.ts';

/** What is asked: the accuracy after the last round of one federation. */
export type Cell = {
  readonly mode: Mode | 'centralised';
  readonly attack: AttackId | 'none';
  /** Null: no noise. */
  readonly epsilon: number | null;
  readonly seed: number;
};

const budgets = [1, 2, 4, 8, null];
const attacked = ['none', 'scaled-sign-flip', 'alie'] as const satisfies readonly Cell['attack'][];
const seeds = [1, 2, 3];

/** Which budgets a mode can be run with: what has no bound cannot be noised. */
export const budgetsOf: Readonly<Record<Mode, readonly (number | null)[]>> = {
  centred: budgets,
  mean: [null],
  'priv-unit': [1, 2, 4, 8],
  'trimmed-mean': [null],
  clipped: budgets,
  local: budgets,
};

/** Rounds of a mode: under local privacy each further round takes its share of ε, and few are best. */
export function roundsOf(mode: Cell['mode']): number {
  return mode === 'local' || mode === 'priv-unit' ? 5 : 20;
}

/** Every cell of the table; what says most comes first. */
export function allCells(): readonly Cell[] {
  const centralised = seeds.map((seed): Cell => ({ mode: 'centralised', attack: 'none', epsilon: null, seed }));
  const rows = Object.entries(budgetsOf) as [Mode, readonly (number | null)[]][];
  return [
    ...centralised,
    ...rows.flatMap(([mode, epsilons]) =>
      attacked.flatMap((attack) =>
        epsilons.flatMap((epsilon) => seeds.map((seed): Cell => ({ mode, attack, epsilon, seed }))),
      ),
    ),
  ];
}

export function nameOf({ mode, attack, epsilon, seed }: Cell): string {
  return `${mode}/${attack}/${epsilon ?? '∞'}/${seed}`;
}

const path = join(import.meta.dirname, '..', 'evidence', 'privacy-utility.jsonl');

/** What has been measured so far, by the cell's name. */
export function knownCells(): Map<string, number> {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  return new Map(
    lines.filter(Boolean).map((line) => {
      const { name, accuracy } = JSON.parse(line) as { name: string; accuracy: number };
      return [name, accuracy];
    }),
  );
}

export function keepCell(name: string, accuracy: number): void {
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${JSON.stringify({ name, accuracy })}\n`);
}

export { attacked, seeds };
