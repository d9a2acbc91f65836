import { createAcceptance } from '../../coordinator/acceptance.ts';
import type { createReception, Reception } from '../../coordinator/reception.ts';
import type { SiteEvaluation } from '../../client/site-learning.ts';
import { checkMetrics, checkUpdate, type UpdateShape } from '../../core/intake/expand.ts';
import { type Outcome, rejected } from '../../core/intake/rejection.ts';
import type { Metrics, Update } from '../../core/intake/stages.ts';
import { questionsIn } from '../../core/plan/histograms.ts';
import { canAccept, type Contribution, phaseOf, type Round } from '../../core/round/round.ts';
import type { Compute } from '../../ports/compute.ts';

/** What a client gives in a direct world. */
export type Content =
  | {
      readonly kind: 'update';
      readonly delta: Float32Array;
      readonly claimedExamples: number;
      readonly accumulation?: number;
      readonly reports?: Readonly<Record<string, string>>;
    }
  | ({ readonly kind: 'metrics' } & SiteEvaluation);

/** Contents on their way, by ticket: the coordinator is handed the ticket in place of an envelope. */
export type Counter = {
  /** Leaves a content and gives its ticket. */
  leave(content: Content): Uint8Array;
  /** A vector in a row that the kernels read in place; it is used again in the next round. */
  row(vector: Float32Array): Float32Array;
  /** What takes contributions in, for the coordinator. */
  readonly makeReception: typeof createReception;
};

/**
 * The fast path of the simulation: contributions are handed over in memory.
 *
 * Left out: encoding, sealing, signatures, envelopes and their bytes on disk. Kept: the checks of the content, the
 * decision and its journal entry, and everything behind it.
 */
export function createCounter(compute: Compute, shape: UpdateShape): Counter {
  const contents = new Map<string, Update | Metrics | Content>();
  let tickets = 0;
  let rows: readonly Float32Array[] = [];
  let rowsUsed = 0;

  /** Rows are taken from one block that grows to the largest round: fresh memory is dear. */
  function takeRow(): Float32Array {
    if (rowsUsed === rows.length) rows = [...rows, ...compute.allocate(Math.max(16, rows.length), shape.count).rows];
    return rows[rowsUsed++]!;
  }

  return {
    row(vector) {
      const row = takeRow();
      row.set(vector);
      return row;
    },
    leave(content) {
      const ticket = new Uint8Array(8);
      new DataView(ticket.buffer).setFloat64(0, tickets++);
      contents.set(ticket.toHex(), content);
      return ticket;
    },
    makeReception: (parts, log, context): Reception => {
      const acceptance = createAcceptance(parts, log, context.nowMs);
      const byHash = new Map<string, string>();

      async function take(device: Parameters<Reception['submit']>[0], ticket: Uint8Array) {
        const { round, status, facts } = log.snapshot().run;
        if (device.status !== 'approved') return rejected('not-invited', `the device is ${device.status}`);
        if (round === null || status !== 'running') return rejected('round-closed', 'no round is open');
        const answer = canAccept(round, device.clientId);
        if (answer !== 'yes') return rejected(answer, `round ${round.number}`);
        const nonce = ticket.toHex();
        const checked = check(contents.get(nonce) as Content | undefined, round);
        if (!checked.ok) return checked;
        contents.set(nonce, checked.value);
        const contentHash = parts.crypto.sha256(ticket).toHex();
        byHash.set(contentHash, nonce);
        const baseModel = facts!.published?.hash ?? facts!.baseModel;
        return acceptance.record(device, round, { contentHash, baseModel, nonce, bytes: 0 }, { hasQkd: false });
      }

      function check(content: Content | undefined, round: Round): Outcome<Update | Metrics> {
        const { collects } = phaseOf(round);
        if (content?.kind !== collects)
          return rejected('wrong-round', `${content?.kind} where ${collects} is asked for`);
        const { kind, ...said } = content;
        return kind === 'update'
          ? checkUpdate(said as never, { ...shape, questions: questionsIn(parts.plan, round.number) })
          : checkMetrics(said);
      }

      async function contentsOf(round: Round, contributions: readonly Contribution[]): Promise<(Update | Metrics)[]> {
        // After a restart the way from hash to ticket is found again on the disk.
        for (const row of await parts.store.accepted(round.number, phaseOf(round).id))
          byHash.set(row.contentHash, row.nonce);
        return contributions.map(({ contentHash }) => contents.get(byHash.get(contentHash)!) as Update | Metrics);
      }

      return {
        bodyBytesMax: 0,
        headBytesMax: 0,
        beginUpload: async () => rejected('malformed', 'nothing is uploaded in a direct world'),
        uploadState: () => undefined,
        // Nothing of a ticket is ever stored.
        sweep: async () => {},
        continueUpload: async () => undefined,
        async submit(device, ticket) {
          const seen = log.snapshot().run.round;
          const outcome = await take(device, ticket);
          if (!outcome.ok) await acceptance.refuse(device, outcome, { seen, bytes: 0 });
          return outcome;
        },
        decline: acceptance.decline,
        refuse: (device, refusal) => acceptance.refuse(device, refusal, { seen: log.snapshot().run.round, bytes: 0 }),
        updates: async (round, all) => (await contentsOf(round, all)) as Update[],
        metrics: async (round, all) => (await contentsOf(round, all)) as Metrics[],
        async forget() {
          acceptance.forget();
          byHash.clear();
          contents.clear();
          rowsUsed = 0;
        },
      };
    },
  };
}
