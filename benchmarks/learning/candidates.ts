// What is compared: each way of learning with the settings that are tried for it.
import type { PlanInput } from '../../src/core/plan/plan.ts';

export type Learning = NonNullable<PlanInput['learning']>;

/** A way of learning: its candidates are tried on a seed of their own, and the best one is measured. */
export type Way = { readonly name: string; readonly candidates: readonly Learning[] };

const server = (optimizer: 'fed-avg-m' | 'fed-adam' | 'fed-yogi' | 'fed-adagrad', rates: readonly number[]): Way => ({
  name: optimizer,
  candidates: rates.map((learningRate) => ({ server: { optimizer, learningRate } })),
});

/** `head`: the tensors that stay at the sites where tensors stay. Newton solves regressions only. */
export function waysFor({ head, isRegression }: { head: readonly string[]; isRegression: boolean }): readonly Way[] {
  const newton: Way = { name: 'newton', candidates: [{ client: { algorithm: 'newton' } }] };
  return [
    ...(isRegression ? [newton] : []),
    { name: 'fed-avg', candidates: [{}] },
    {
      name: 'fed-prox',
      candidates: [0.01, 0.1, 1].map((mu) => ({ client: { algorithm: 'fed-prox' as const, mu } })),
    },
    { name: 'scaffold', candidates: [{ client: { algorithm: 'scaffold' } }] },
    { name: 'fed-nova', candidates: [{ client: { algorithm: 'fed-nova' } }] },
    server('fed-avg-m', [0.1, 0.3, 1]),
    server('fed-adam', [0.003, 0.01, 0.03, 0.1]),
    server('fed-yogi', [0.003, 0.01, 0.03, 0.1]),
    server('fed-adagrad', [0.01, 0.03, 0.1, 0.3]),
    {
      name: 'ditto',
      candidates: [0.01, 0.1, 1].map((lambda) => ({ client: { algorithm: 'ditto' as const, lambda } })),
    },
    { name: 'fine-tuning', candidates: [{ client: { algorithm: 'fine-tuning' } }] },
    { name: 'tensors that stay', candidates: [{ local: [...head] }] },
  ];
}

/** The settings of a candidate beyond its name, as the table prints them. */
export function settingsOf({ client, server: optimizer, local }: Learning): string {
  const numbers = { ...client, ...optimizer, ...(local === undefined ? {} : { local: local.join(', ') }) };
  const { algorithm: _, optimizer: __, ...rest } = numbers as Record<string, unknown>;
  return Object.entries(rest)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}
