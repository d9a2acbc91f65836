import type { CentralPrivacy } from '../../core/plan/privacy.ts';
import { spentEpsilon, worstDivergences } from '../../core/privacy/ledger/budget.ts';
import type { NoisySteps } from '../../core/privacy/ledger/filter.ts';
import { addSaved, individualDivergences, savedBy } from '../../core/privacy/ledger/individual.ts';
import { type Divergences, odometerEpsilon } from '../../core/privacy/ledger/odometer.ts';
import type { OwnPrivacy } from '../../core/protocol/own-privacy.ts';
import { KmsError } from '../../ports/kms.ts';
import type { CoordinatorParts } from '../parts.ts';
import type { Snapshot } from '../run-log.ts';
import { spendingFor } from './ledger-changes.ts';

type Saved = ReadonlyMap<string, Divergences>;

/** What single clients have saved: nothing of it is for anybody but the client itself. */
const savedPlace = 'qflare/individual-privacy/v1';

/** The release of a round as individual accounting sees it. */
export type AccountedRelease = {
  readonly step: NoisySteps;
  /** Everybody who was charged for the round. */
  readonly charged: readonly string[];
  /** The loss shares of those whose update is in the release. */
  readonly shares: ReadonlyMap<string, number>;
};

/**
 * Individual accounting of a run: an odometer of each client's own, for that client alone. It decides nothing; the ledger
 * charges everybody the worst case.
 */
export type IndividualAccounts = {
  /** Reads what was kept. Where it is gone or its key is, everybody stands at the worst case. */
  load(snapshot: Snapshot): Promise<void>;
  /** Seals what everybody has saved after this release; null where that is not proven for the plan. */
  after(snapshot: Snapshot, release: AccountedRelease): Promise<string | null>;
  /** What one client may be told of itself; undefined before it was charged anything. */
  own(snapshot: Snapshot, clientId: string): OwnPrivacy | undefined;
};

export function createIndividualAccounts(parts: CoordinatorParts): IndividualAccounts {
  const { plan, blobs, atRest } = parts;
  const { purpose, sampleRate: planned, replan } = plan.privacy as CentralPrivacy;
  // What error feedback carries over depends on earlier coins: under sampling they would have to be hidden in it.
  const isSampled = planned < 1 || replan?.sampleRate !== undefined;
  const isProven = !isSampled || plan.aggregation.topK?.errorFeedback !== true;
  let kept: { readonly file: string; readonly saved: Saved } | undefined;

  return {
    async load({ run }) {
      const file = run.privacy?.individual?.file;
      const sealed = file === undefined ? undefined : await blobs.get(file);
      const opened = sealed === undefined ? undefined : openKept(sealed);
      kept = opened === undefined ? undefined : { file: file!, saved: readSaved(opened) };
    },

    async after({ run }, { step, charged, shares }) {
      if (!isProven) return null;
      const known = run.privacy?.individual;
      const before: Saved = kept !== undefined && kept.file === known?.file ? kept.saved : new Map();
      const next = new Map(before);
      for (const clientId of charged) {
        // Without sampling, whoever is not in a release has lost nothing by it; with it, the coins stay hidden at full cost.
        const share = shares.get(clientId) ?? (step.sampleRate === 1 ? 0 : 1);
        next.set(clientId, addSaved(before.get(clientId), savedBy(share, step)));
      }
      if (typeof known?.stale === 'string') await blobs.remove(known.stale);
      const file = await blobs.put(atRest.seal(savedPlace, writeSaved(next)));
      kept = { file, saved: next };
      return file;
    },

    own({ run, ledger }, clientId) {
      const spending = spendingFor(ledger, clientId, purpose);
      if (spending === undefined) return undefined;
      const { delta, epsilon: granted } = spending.grant;
      const { plan: charged } = spentEpsilon(spending);
      const worst = worstDivergences(spending);
      const saved = kept !== undefined && kept.file === run.privacy?.individual?.file ? kept.saved : undefined;
      return {
        version: 1,
        purpose,
        delta,
        granted,
        plan: charged,
        odometer: odometerEpsilon(worst, delta),
        individual: odometerEpsilon(individualDivergences(worst, saved?.get(clientId)), delta),
      };
    },
  };

  function openKept(sealed: Uint8Array): Uint8Array | undefined {
    try {
      return atRest.open(savedPlace, sealed);
    } catch (error) {
      if (error instanceof KmsError) return undefined;
      throw error;
    }
  }
}

function writeSaved(saved: Saved): Uint8Array {
  return new TextEncoder().encode(JSON.stringify([...saved]));
}

function readSaved(bytes: Uint8Array): Saved {
  return new Map(JSON.parse(new TextDecoder().decode(bytes)) as [string, Divergences][]);
}
