import type { Announcement } from '../core/protocol/messages.ts';
import { isSignedBy, logKeyOf, originOf, parseCheckpoint } from '../core/transparency/checkpoint.ts';
import { isConsistent } from '../core/transparency/merkle-proof.ts';
import type { Crypto } from '../ports/crypto.ts';
import type { Identity } from '../ports/identity.ts';
import { type Transport, TransportError } from '../ports/transport.ts';

/** What a site keeps when the log departs from what it has seen: two tree heads of one key, for anybody to check. */
export type LogDeparture = {
  readonly round: number;
  readonly reason: string;
  readonly seen: string | null;
  readonly shown: string | null;
};

/**
 * A site as a witness of the log: before it works on a round it asks for the newest signed tree head and for the proof that
 * it continues the last one that this site has seen. A log that was rewritten, went back, or stood still while a round was
 * closed is refused, and so is the round.
 */
export type LogWatch = {
  /** Errors: TransportError `security` when the log departs; it is kept before. */
  check(announcement: Pick<Announcement, 'round'>): Promise<void>;
  /** The coordinator has counted an update of this round: when the round is over, the log has grown. */
  counted(announcement: Pick<Announcement, 'round'>): void;
};

export function createLogWatch(parts: {
  readonly identity: Pick<Identity, 'orgId' | 'runId' | 'logKey' | 'log'>;
  readonly transport: Pick<Transport, 'request'>;
  readonly crypto: Pick<Crypto, 'sha256' | 'verify'>;
  readonly save: (part: Pick<Identity, 'log'>) => Promise<void>;
  readonly keepDeparture: (found: LogDeparture) => Promise<void>;
}): LogWatch {
  const { identity, transport, crypto } = parts;
  const origin = originOf(identity);
  const key = logKeyOf(origin, Uint8Array.fromBase64(identity.logKey));
  const base = `/v1/orgs/${identity.orgId}/runs/${identity.runId}/log`;
  let seen = identity.log ?? null;
  /** The round of which an update was counted since that head. */
  let countedRound: number | null = null;

  async function get(path: string): Promise<string | undefined> {
    const { status, body } = await transport.request({ method: 'GET', path: `${base}/${path}` });
    if (status === 429 || status >= 500) throw new TransportError('network', `The coordinator answered ${status}`);
    return status === 200 ? new TextDecoder().decode(body) : undefined;
  }

  /** Why the log that is shown is not the one that was seen; undefined where it continues that. */
  async function departureOf(shown: string | undefined, round: number): Promise<string | undefined> {
    const checkpoint = parseCheckpoint(shown ?? '');
    if (checkpoint === undefined) return 'shows no tree head';
    if (checkpoint.head.origin !== origin || !(await isSignedBy(checkpoint, key, crypto)))
      return 'shows a tree head that its key has not signed';
    const before = parseCheckpoint(seen ?? '')?.head;
    if (before === undefined) return undefined;
    const { head } = checkpoint;
    if (head.size < before.size) return `has ${head.size} entries where ${before.size} were seen`;
    if (head.size === before.size && countedRound !== null && round > countedRound)
      return `has not grown since round ${countedRound}, which is closed`;
    const proof =
      head.size === before.size ? [] : hashesIn(await get(`consistency?from=${before.size}&to=${head.size}`));
    return proof !== undefined && isConsistent(before, head, proof, crypto.sha256)
      ? undefined
      : `of ${head.size} entries does not continue the ${before.size} that were seen`;
  }

  return {
    async check({ round }) {
      const shown = await get('checkpoint');
      const reason = await departureOf(shown, round);
      if (reason !== undefined) {
        await parts.keepDeparture({ round, reason, seen, shown: shown ?? null });
        throw new TransportError(
          'security',
          `Cannot take part in round ${round} as the log must continue what this site has seen: it ${reason}`,
        );
      }
      // The same head may come again with a witness's signature more.
      if (sizeOf(shown) === sizeOf(seen)) return;
      await parts.save({ log: shown! });
      seen = shown!;
      countedRound = null;
    },
    counted({ round }) {
      countedRound = round;
    },
  };
}

function sizeOf(checkpoint: string | null | undefined): number | undefined {
  return parseCheckpoint(checkpoint ?? '')?.head.size;
}

function hashesIn(text: string | undefined): readonly Uint8Array[] | undefined {
  try {
    return (JSON.parse(text ?? '') as { hashes: string[] }).hashes.map((hash) => Uint8Array.fromHex(hash));
  } catch {
    return undefined;
  }
}
