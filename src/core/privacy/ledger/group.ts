import { epsilon } from '../accounting/epsilon.ts';
import type { LedgerChain } from './chain.ts';
import type { NoisySteps } from './filter.ts';

/** A release that is asked for, and how many members of the group would be charged for it. */
export type GroupRequest = Omit<NoisySteps, 'steps'> & { readonly members: number };

/**
 * ε of all clients of one person or site together, from their chains.
 *
 * Formula:  PLD of a Gaussian whose sensitivity is the number of members in the sample: k each by its own coin of chance q,
 *           k the members that were charged for the release (`gaussian-group`).
 * Needs:    noise of each release drawn for itself; parameters fixed beforehand or changed for public reasons.
 * Promises: with one member what `spentEpsilon` gives as `plan`; at most what multiplying ε and δ out would give.
 */
export function groupEpsilon(
  chains: readonly LedgerChain[],
  { purpose, delta }: { readonly purpose: string; readonly delta: number },
  pending?: GroupRequest,
): number {
  const releases = new Map<string, GroupRequest>();
  for (const chain of chains) {
    const cancelled = new Set(chain.flatMap(({ event }) => (event.kind === 'cancel' ? [event.reservation] : [])));
    for (const { event } of chain) {
      if (event.kind !== 'reserve' || event.purpose !== purpose || cancelled.has(event.reservation)) continue;
      // Several steps under one reservation are as many releases.
      for (let step = 0; step < event.steps; step++) {
        const key = JSON.stringify([event.run, event.reservation, step]);
        const known = releases.get(key);
        releases.set(key, {
          noiseMultiplier: Math.min(event.noiseMultiplier, known?.noiseMultiplier ?? Infinity),
          sampleRate: Math.max(event.sampleRate, known?.sampleRate ?? 0),
          members: (known?.members ?? 0) + 1,
        });
      }
    }
  }
  const all = [...releases.values(), ...(pending === undefined || pending.members === 0 ? [] : [pending])];
  return scheduleEpsilon(all, delta);
}

const rememberedMax = 128;
const remembered = new Map<string, number>();

function scheduleEpsilon(releases: readonly GroupRequest[], delta: number): number {
  const counts = new Map<string, { readonly release: GroupRequest; steps: number }>();
  for (const release of releases) {
    const key = JSON.stringify([release.noiseMultiplier, release.sampleRate, release.members]);
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { release, steps: 1 });
    else known.steps += 1;
  }
  const schedule = [...counts.values()].map(
    ({ release: { noiseMultiplier, sampleRate, members: groupSize }, steps }) => ({
      mechanism: 'gaussian-group' as const,
      noiseMultiplier,
      sampleRate,
      groupSize,
      steps,
    }),
  );
  const key = JSON.stringify([delta, schedule]);
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const value = schedule.length === 0 ? 0 : epsilon({ schedule, delta }).epsilon;
  if (remembered.size >= rememberedMax) remembered.delete(remembered.keys().next().value!);
  remembered.set(key, value);
  return value;
}
