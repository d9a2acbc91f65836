import { boundedAggregator, type BoundedAggregator, withRadius } from '../../core/aggregation/bounded.ts';
import type { Update } from '../../core/intake/stages.ts';
import { type CentralPrivacy, expectedContributions, privacyStatement } from '../../core/plan/privacy.ts';
import { PlanError } from '../../core/plan/plan.ts';
import { releaseBounded, shrunkReference } from '../../core/privacy/bounded-release.ts';
import { flipCoins } from '../../core/privacy/coins.ts';
import { noiseMultiplier } from '../../core/privacy/accounting/noise-multiplier.ts';
import { spentEpsilon } from '../../core/privacy/ledger/budget.ts';
import { isBehind, ledgerHeads, ledgerSeal } from '../../core/privacy/ledger/heads.ts';
import { clampTo } from '../../core/privacy/ledger/course.ts';
import { brokenSeal, hashesOf } from '../../core/privacy/ledger/sealed-chains.ts';
import { bestFilterOrder } from '../../core/privacy/ledger/filter.ts';
import { canonicalBytes, type Json } from '../../core/protocol/canonical-json.ts';
import { contributionsOf, type Round } from '../../core/round/round.ts';
import type { OwnPrivacy } from '../../core/protocol/own-privacy.ts';
import { isHeld } from '../../core/vector/tiles.ts';
import type { Row } from '../../ports/compute.ts';
import { DamagedError } from '../../ports/damage.ts';
import type { Change } from '../../ports/store.ts';
import type { Draft } from '../journal.ts';
import type { CoordinatorParts } from '../parts.ts';
import type { RunLog, Snapshot } from '../run-log.ts';
import {
  admit,
  cancelChanges,
  chargedFor,
  commitChanges,
  freshReservation,
  grantOf,
  settleChanges,
  spendingFor,
} from './ledger-changes.ts';
import { withinGroups } from './groups.ts';
import { createIndividualAccounts } from './individual.ts';
import { checkNoiseRange, replanned, replannedDraft } from './replanned.ts';

/** How a round opens: who takes part by secret coins, and what was reserved for it; or why it cannot. */
export type Opening =
  | {
      readonly kind: 'open';
      readonly participants: readonly string[];
      readonly changes: readonly Change[];
      readonly data: { readonly [key: string]: Json };
      /** What is journaled before the round opens: the course that it opens on. */
      readonly drafts?: readonly Draft[];
    }
  | { readonly kind: 'wait' }
  | { readonly kind: 'exhausted'; readonly reason: string; readonly out: readonly string[] };

/** A release that is about to be published. Its ledger entries follow from the ledger at the time of the commit. */
export type Released = {
  readonly vector: Float32Array;
  readonly drafts: readonly Draft[];
  readonly ledger: (snapshot: Snapshot) => readonly Change[];
};

/** What central privacy adds to the rounds of a run. */
export type CentralRounds = {
  /** Reads the ledger, and settles the noise the first time. Throws PlanError where the grants are smaller. */
  start(): Promise<void>;
  open(snapshot: Snapshot, round: number, candidates: readonly string[], approved: readonly string[]): Opening;
  release(round: Round, base: Float32Array, updates: readonly Update[]): Promise<Released>;
  /** Gives back what was reserved for a round that has released nothing. */
  closing(snapshot: Snapshot): readonly Change[];
  /** What one client may be told of its own loss: for nobody else. */
  own(snapshot: Snapshot, clientId: string): OwnPrivacy | undefined;
  /** Removes files that no round needs any more. */
  forget(): Promise<void>;
};

/** Reads the ledger and gives back what a crash left reserved. Throws PlanError where a grant is smaller than the plan's. */
export async function openLedger(
  log: RunLog,
  { runId, privacy }: { readonly runId: string; readonly privacy: CentralPrivacy },
): Promise<void> {
  const { purpose, epsilon, delta } = privacy;
  await log.loadLedger();
  const { ledger, run } = log.snapshot();
  const sealed = run.ledgerSeal;
  const broken = brokenSeal([...ledger.values()].map(hashesOf), sealed?.chains ?? {});
  if (sealed !== null && (broken !== undefined || isBehind(ledgerSeal(ledgerHeads(ledger)), sealed))) {
    throw new DamagedError(
      `Cannot go on as the privacy ledger must hold what this run has sealed in its log (${sealed.entries} entries of ${sealed.subjects} clients): it was reset, or another file took its place`,
    );
  }
  const smaller = [...ledger]
    .map(([subject, chain]) => ({ subject, grant: grantOf(chain, purpose) }))
    .find(({ grant }) => grant !== undefined && (grant.epsilon < epsilon || grant.delta !== delta));
  if (smaller !== undefined) {
    const { grant, subject } = smaller;
    throw new PlanError([
      `privacy.epsilon: must be at most what ${subject} was granted for "${purpose}" (nearest: ε = ${grant!.epsilon}, δ = ${grant!.delta}, or another purpose): current value is ε = ${epsilon}, δ = ${delta}`,
    ]);
  }
  const orphans = settleChanges(ledger, runId, openReservation(run));
  if (orphans.length > 0) await log.recordOnLedger(() => ({ changes: orphans, result: undefined }));
}

/** Sums of losses are doubles: a hair more noise keeps the last round within the budget. */
export const hair = 1e-9;

/** Writes into the journal what a run was planned with. */
export async function recordPlanned(
  parts: CoordinatorParts,
  log: RunLog,
  noise: {
    readonly planned: ReturnType<typeof noiseMultiplier>;
    readonly noiseMultiplier: number;
    readonly sampleRate: number;
  },
): Promise<void> {
  const { plan } = parts;
  const privacy = plan.privacy as CentralPrivacy;
  const { epsilon, pld, rdp } = noise.planned;
  const data = {
    statement: privacyStatement(privacy, plan.rounds.count),
    noiseMultiplier: noise.noiseMultiplier,
    radius: privacy.clipNorm,
    sampleRate: noise.sampleRate,
    rounds: plan.rounds.count,
    expectedCount: boundOf(parts).expectedCount,
    epsilon,
    pld,
    rdp,
    delta: privacy.delta,
    ...(privacy.ftrl === undefined ? {} : { ftrl: { ...privacy.ftrl } }),
  };
  await log.record(() => ({ drafts: [{ kind: 'privacy.planned', data }], result: undefined }));
}

export function createCentralRounds(parts: CoordinatorParts, log: RunLog): CentralRounds {
  const { plan, runId, entropy, blobs, crypto } = parts;
  const privacy = plan.privacy as CentralPrivacy;
  const { purpose, sampleRate, rule, epsilon, delta } = privacy;
  const bound = boundOf(parts);
  const accounts = createIndividualAccounts(parts);

  function terms(noise: number, reservation: string) {
    const order = filterOrder(privacy, noise);
    return { grant: { purpose, epsilon, delta, rule, order }, run: runId, reservation };
  }

  return {
    async start() {
      await openLedger(log, { runId, privacy });
      await accounts.load(log.snapshot());
      if (log.snapshot().run.privacy !== null) return;
      const planned = noiseMultiplier({
        epsilon,
        delta,
        sampleRate,
        steps: plan.rounds.count,
        ...(rule === 'filter' ? { accountant: 'rdp' as const } : {}),
      });
      const noise = planned.noiseMultiplier * (rule === 'filter' ? 1 + hair : 1);
      checkNoiseRange(privacy, noise);
      await recordPlanned(parts, log, { planned, noiseMultiplier: noise, sampleRate });
    },

    open(snapshot, round, candidates, approved) {
      const { course, reasons } = replanned(snapshot, plan, candidates);
      const { noiseMultiplier: noise, sampleRate: rate } = course;
      const steps = { noiseMultiplier: noise, sampleRate: rate, steps: 1 };
      const reservation = freshReservation(snapshot.ledger, runId, round);
      const ask = (subjects: readonly string[]) => {
        const { kept, refused: together } = withinGroups(snapshot.ledger, subjects, privacy, steps);
        const answer = admit(snapshot.ledger, kept, terms(noise, reservation), steps);
        return { ...answer, refused: new Map([...together, ...answer.refused]) };
      };
      const { admitted, refused, changes } = ask(candidates);
      if (admitted.length < plan.cohort.quorum) {
        const away = approved.filter((clientId) => !candidates.includes(clientId));
        const others = ask(away);
        if (admitted.length + others.admitted.length >= plan.cohort.quorum) return { kind: 'wait' };
        const out = [...refused.keys(), ...others.refused.keys()].sort();
        const why = [...refused.values(), ...others.refused.values()][0]?.reason ?? 'nobody is there';
        return {
          kind: 'exhausted',
          out,
          reason: `the privacy budget "${purpose}" is used up for ${out.length} of ${approved.length} clients (${shown(out)}), and a round needs ${plan.cohort.quorum}: ${why}`,
        };
      }
      const participants = flipCoins(entropy, admitted, rate);
      const salt = new Uint8Array(32);
      entropy.fillBytes(salt);
      const opened = [salt, canonicalBytes(participants as Json)].map((bytes) => bytes.toHex()).join('');
      const facts = {
        noiseMultiplier: noise,
        sampleRate: rate,
        radius: snapshot.run.privacy!.radius,
        reservation,
        out: [...refused.keys()].sort(),
        candidates: admitted.length,
        coins: { salt: salt.toHex(), commitment: crypto.sha256(Uint8Array.fromHex(opened)).toHex() },
      };
      const drafts = reasons.length === 0 ? [] : [replannedDraft(course, reasons, round)];
      return { kind: 'open', participants, changes, data: { privacy: facts }, drafts };
    },

    async release(round, base, updates) {
      const { run, ledger } = log.snapshot();
      const { noiseMultiplier: noise, sampleRate: rate, reservation } = run.facts!.privacy!;
      let lossShares: readonly number[] = [];
      const { radius, last } = run.privacy!;
      const rows = await Promise.all(updates.map(({ delta: update }) => heldRow(update)));
      const reference = await referenceOf(base.length, last);
      const released = releaseBounded(withRadius(bound, radius), rows, {
        reference,
        noiseMultiplier: noise,
        entropy,
        adaptiveClip: privacy.adaptiveClip,
        onLossShares: (shares) => void (lossShares = shares),
      });
      const { vector, noiseNorm } = released;
      // A clip within declared bounds is a function of the private count that was paid for.
      const nextRadius = clampTo(privacy.replan?.clipNorm, released.nextRadius);
      const hash = await blobs.put(new Uint8Array(vector.buffer));
      const individual = await accounts.after(log.snapshot(), {
        step: { noiseMultiplier: noise, sampleRate: rate, steps: 1 },
        charged: chargedFor(ledger, reservation),
        shares: new Map(contributionsOf(round).map(({ clientId }, i) => [clientId, lossShares[i]!])),
      });
      const facts = {
        release: hash,
        noiseNorm,
        radius,
        nextRadius,
        noiseMultiplier: noise,
        sampleRate: rate,
        individual,
      };
      return {
        vector,
        drafts: [
          {
            kind: 'privacy.released',
            round: round.number,
            data: { ...facts, noise: released.noise, epsilon: spentMost(log.snapshot(), purpose), delta },
          },
        ],
        ledger: (snapshot) => commitChanges(snapshot.ledger, reservation, hash),
      };
    },

    closing({ ledger, run }) {
      const reservation = openReservation(run);
      return reservation === undefined ? [] : cancelChanges(ledger, reservation, 'the round ended without a release');
    },
    own: accounts.own,
    forget: async () => {},
  };

  async function referenceOf(
    d: number,
    last: { readonly release: string; readonly noiseNorm: number } | null,
  ): Promise<Float32Array> {
    if (last === null || privacy.reference === 'zero') return new Float32Array(d);
    const bytes = await blobs.get(last.release);
    if (bytes === undefined)
      throw new Error(`Cannot clip around release ${last.release} as it must be stored: it is not`);
    return shrunkReference(new Float32Array(Uint8Array.from(bytes).buffer), last.noiseNorm);
  }
}

/** What the open round has reserved. */
export function openReservation({ round, facts }: Snapshot['run']): string | undefined {
  return round === null ? undefined : facts?.privacy?.reservation;
}

/** The proof of the plan's pipeline. The parser has refused plans without one. */
export function boundOf({ plan }: CoordinatorParts): BoundedAggregator {
  const result = boundedAggregator(plan.aggregation.pipeline, expectedContributions(plan));
  if (!result.ok) throw new Error(`Cannot run under central privacy as the pipeline must be bounded: ${result.reason}`);
  return result.value;
}

/** The order that a grant's filter follows; of no use to rule "plan" where no order reaches ε. */
export function filterOrder({ epsilon, delta, rule, sampleRate }: CentralPrivacy, noise: number): number {
  try {
    return bestFilterOrder(epsilon, delta, { noiseMultiplier: noise, sampleRate });
  } catch (error) {
    if (rule === 'plan') return 2;
    throw error;
  }
}

/** The largest ε that any client has spent or reserved by now. */
export function spentMost({ ledger }: Snapshot, purpose: string): number {
  const spent = [...ledger.keys()].map((subject) => spendingFor(ledger, subject, purpose));
  return spent.reduce((most, one) => (one === undefined ? most : Math.max(most, spentEpsilon(one)[one.grant.rule])), 0);
}

/** Noise is drawn over rows in memory: a spooled one is read back. */
export async function heldRow(row: Row): Promise<Float32Array> {
  if (row instanceof Float32Array) return row;
  const values = new Float32Array(row.length);
  if (isHeld(row)) values.set(row);
  else await row.read(0, values);
  return values;
}

export function shown(names: readonly string[]): string {
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}
