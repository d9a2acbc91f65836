import { allCells, attacked, budgetsOf, type Cell, nameOf, seeds } from './cells.ts';
import type { Mode } from './federation.ts';

const columns = [1, 2, 4, 8, null] as const;
const attackNames = { none: 'none', 'scaled-sign-flip': 'scaled sign flip', alie: 'ALIE' } as const;
const modeNames: Readonly<Record<Mode, string>> = {
  centred: 'central, centred clipping',
  clipped: 'central, plain clipping',
  mean: 'mean, no privacy',
  'trimmed-mean': 'trimmed mean, no privacy',
  local: 'local, Gaussian (5 rounds)',
  'priv-unit': 'local, PrivUnit (5 rounds)',
};
const order: readonly Mode[] = ['centred', 'clipped', 'local', 'priv-unit', 'mean', 'trimmed-mean'];

/** Accuracy in the last round by mode, attack and ε: the mean of the seeds, or how many of them are there. */
export function utilityTable(known: ReadonlyMap<string, number>): readonly string[] {
  const rows = order.flatMap((mode) =>
    attacked.map((attack, i) => {
      const cells = columns.map((epsilon) =>
        budgetsOf[mode].includes(epsilon) ? figure(known, { mode, attack, epsilon }) : '–',
      );
      return `| ${i === 0 ? modeNames[mode] : ''} | ${attackNames[attack]} | ${cells.join(' | ')} |`;
    }),
  );
  return [
    '| mode | attack (100 of 1,000) | ε = 1 | 2 | 4 | 8 | ∞ |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ];
}

/** Retention against centralised training without attack, in a sentence, and whether the goal at ε = 8 is met. */
export function retentionLine(known: ReadonlyMap<string, number>): { readonly line: string; readonly isMet: boolean } {
  const central = meanOf(known, { mode: 'centralised', attack: 'none', epsilon: null });
  if (central === null) return { line: 'Centralised training has not been run.', isMet: false };
  const parts = ([8, 4, 2, 1] as const).map((epsilon) => {
    const mean = meanOf(known, { mode: 'centred', attack: 'none', epsilon });
    return { epsilon, share: mean === null ? null : mean / central };
  });
  const said = parts.map(
    ({ epsilon, share }) => `${share === null ? 'not run' : `${(100 * share).toFixed(1)} %`} at ε = ${epsilon}`,
  );
  const pending = allCells().filter((cell) => !known.has(nameOf(cell))).length;
  const rest = pending === 0 ? '' : ` ${pending} cells of the table have not been run.`;
  const isMet = (parts[0]?.share ?? 0) >= 0.95;
  return {
    line: `Centralised, same number of passes: ${shown(central)}. Centred clipping without attack retains ${said.join(', ')} (goal at ε = 8: 95 %, ${isMet ? 'reached' : 'missed'}).${rest}`,
    isMet,
  };
}

function figure(known: ReadonlyMap<string, number>, cell: Omit<Cell, 'seed'>): string {
  const mean = meanOf(known, cell);
  return mean === null ? 'not run' : shown(mean);
}

/** Null unless every seed has been run. */
function meanOf(known: ReadonlyMap<string, number>, cell: Omit<Cell, 'seed'>): number | null {
  const found = seeds.flatMap((seed) => known.get(nameOf({ ...cell, seed })) ?? []);
  return found.length < seeds.length ? null : found.reduce((sum, one) => sum + one, 0) / found.length;
}

function shown(accuracy: number): string {
  return accuracy.toFixed(3).slice(1);
}
