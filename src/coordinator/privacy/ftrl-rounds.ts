import { withRadius } from '../../core/aggregation/bounded.ts';
import type { CentralPrivacy } from '../../core/plan/privacy.ts';
import { PlanError } from '../../core/plan/plan.ts';
import { noiseMultiplier } from '../../core/privacy/accounting/noise-multiplier.ts';
import { decodeNoise, decodeSums, type DrawnNoise, encodeNoise, encodeSums } from '../../core/privacy/ftrl/sum-file.ts';
import { STRATEGIES } from '../../core/privacy/ftrl/index.ts';
import { emptySums, type Strategy, type SumState } from '../../core/privacy/ftrl/strategy.ts';
import { checkSumRange, drawSumNoise, releaseSum } from '../../core/privacy/ftrl/sum-release.ts';
import type { LedgerChain } from '../../core/privacy/ledger/chain.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Round } from '../../core/round/round.ts';
import type { CoordinatorParts } from '../parts.ts';
import type { RunLog } from '../run-log.ts';
import type { FtrlState } from './ftrl-state.ts';
import { createIndividualAccounts } from './individual.ts';
import { openFtrlRound } from './ftrl-opening.ts';
import {
  boundOf,
  type CentralRounds,
  hair,
  heldRow,
  openLedger,
  openReservation,
  recordPlanned,
  spentMost,
} from './central.ts';
import { cancelChanges, commitChanges } from './ledger-changes.ts';

const SALT_BYTES = 32;
const sumsPlace = 'qflare/dp-ftrl-sums/v1';

/** What DP-FTRL adds to the rounds of a run. */
export function createFtrlRounds(parts: CoordinatorParts, log: RunLog): CentralRounds {
  const { plan, runId, entropy, blobs, atRest } = parts;
  const privacy = plan.privacy as CentralPrivacy;
  const { purpose, rule, epsilon, delta } = privacy;
  const bound = withRadius(boundOf(parts), privacy.clipNorm);
  const strategy = planStrategy(plan);

  return {
    async start() {
      await openLedger(log, { runId, privacy });
      const { ledger, run } = log.snapshot();
      refuseRewound(releasesOf(ledger, runId, openReservation(run)), run.privacy?.released ?? 0);
      await forget();
      if (run.privacy !== null) return;
      const accountant = rule === 'filter' ? ({ accountant: 'rdp' } as const) : {};
      const one = noiseMultiplier({ epsilon, delta, sampleRate: 1, steps: 1, ...accountant });
      const noise = one.noiseMultiplier * Math.sqrt(strategy.sensitivitySquare()) * (1 + hair);
      checkSumRange({ clipNormL2: privacy.clipNorm, noiseMultiplier: noise }, plan.rounds.count * bound.expectedCount);
      await recordPlanned(parts, log, { planned: one, noiseMultiplier: noise, sampleRate: 1 });
    },

    open: (snapshot, round, candidates, approved) =>
      openFtrlRound({ plan, runId, strategy }, snapshot, { round, candidates, approved }),

    async release(round, base, updates) {
      const { run } = log.snapshot();
      const { noiseMultiplier: noise, reservation } = run.facts!.privacy!;
      const { released, ftrl } = run.privacy!;
      const drawn = await drawnFor(round, base.length, noise);
      const state = await sumsOf(ftrl, released);
      const rows = await Promise.all(updates.map(({ delta: update }) => heldRow(update)));
      const made = releaseSum(bound, rows, {
        dimension: base.length,
        noiseMultiplier: noise,
        strategy,
        state,
        noise: drawn.noise,
      });
      const hash = await blobs.put(new Uint8Array(made.vector.buffer));
      const isLast = released + 1 >= plan.rounds.count;
      const sums = isLast ? null : await seal(encodeSums(made.state, base.length, drawn.stateSalt));
      const { radius } = bound;
      return {
        vector: made.vector,
        drafts: [
          {
            kind: 'privacy.released',
            round: round.number,
            data: {
              release: hash,
              noiseNorm: made.noiseNorm,
              radius,
              nextRadius: radius,
              noiseMultiplier: noise,
              sampleRate: 1,
              noise: drawn.source,
              epsilon: spentMost(log.snapshot(), purpose),
              delta,
              sums,
            },
          },
        ],
        ledger: (snapshot) => commitChanges(snapshot.ledger, reservation, hash),
      };
    },

    closing({ ledger, run }) {
      const reservation = openReservation(run);
      return reservation === undefined ? [] : cancelChanges(ledger, reservation, 'the round ended without a release');
    },

    forget,
    // A leaf's noise is shared with later ones: what a short deviation saves is not proven here, so the worst case is shown.
    own: createIndividualAccounts(parts).own,
  };

  /** The noise of a round's leaf: stored before it is used, so that a restart releases the same bytes. */
  async function drawnFor(round: Round, dimension: number, noiseMultiplier: number) {
    const { released, ftrl } = log.snapshot().run.privacy!;
    const known = ftrl?.drawn;
    if (known?.round === round.number) return { ...decodeNoise(await file(known.noise)), source: known.source };
    const count = strategy.valuesAt(released);
    const salts = new Uint8Array(2 * SALT_BYTES);
    entropy.fillBytes(salts);
    const drawn: DrawnNoise = {
      noise: drawSumNoise(entropy, { dimension, count, clipNormL2: bound.radius, noiseMultiplier }),
      salt: salts.slice(0, SALT_BYTES),
      stateSalt: salts.slice(SALT_BYTES),
    };
    const source = entropy.isSimulated === true ? ('simulated' as const) : ('secret' as const);
    const noise = await seal(encodeNoise(drawn));
    await log.record(() => ({
      drafts: [{ kind: 'privacy.drawn', round: round.number, data: { noise, source } }],
      result: undefined,
    }));
    return { ...drawn, source };
  }

  async function sumsOf(ftrl: FtrlState | undefined, released: number): Promise<SumState> {
    const sums = ftrl?.sums ?? null;
    const state = sums === null ? emptySums : decodeSums(await file(sums));
    if (state.leaves === released) return state;
    throw new Error(
      `Cannot go on with DP-FTRL as its sums must be of ${released} releases: they are of ${state.leaves}`,
    );
  }

  /** Noise and clean sums lie on the disk under the data key. */
  function seal(bytes: Uint8Array): Promise<string> {
    return blobs.put(atRest.seal(sumsPlace, bytes));
  }

  async function file(hash: string): Promise<Uint8Array> {
    const bytes = await blobs.get(hash);
    if (bytes !== undefined) return atRest.open(sumsPlace, bytes);
    throw new Error(`Cannot go on with DP-FTRL as the file ${hash} must be stored: it is not`);
  }

  async function forget(): Promise<void> {
    const { round, privacy: now } = log.snapshot().run;
    const { spent = [], drawn = null } = now?.ftrl ?? {};
    for (const hash of spent) await blobs.remove(hash);
    // A round that released nothing leaves its noise behind.
    if (drawn !== null && drawn.round !== round?.number) await blobs.remove(drawn.noise);
  }
}

/** The strategy of a plan under DP-FTRL. */
export function planStrategy({ privacy, rounds }: Pick<Plan, 'privacy' | 'rounds'>): Strategy {
  const { noise, separation, participations, restartEvery, bands } = (privacy as CentralPrivacy).ftrl!;
  return STRATEGIES[noise]({ steps: rounds.count, max: participations, separation, restartEvery, bands });
}

/** How many releases of a run the ledger knows of. Each has somebody in it. */
function releasesOf(ledger: ReadonlyMap<string, LedgerChain>, runId: string, open: string | undefined): number {
  const names = new Set<string>();
  for (const chain of ledger.values()) {
    const own = new Set(
      chain.flatMap(({ event }) => (event.kind === 'reserve' && event.run === runId ? [event.reservation] : [])),
    );
    for (const { event } of chain) {
      if (event.kind === 'commit' && own.has(event.reservation) && event.reservation !== open) {
        names.add(event.reservation);
      }
    }
  }
  return names.size;
}

/** After an older backup values over rounds before it would be released a second time, for which nobody was charged. */
function refuseRewound(inLedger: number, inJournal: number): void {
  if (inLedger <= inJournal) return;
  throw new PlanError([
    `privacy.mechanism: must not be "dp-ftrl" where a run goes on from an older backup, as its sums would be released twice (nearest: a new run): the ledger has ${inLedger} releases of this run, the journal ${inJournal}`,
  ]);
}
