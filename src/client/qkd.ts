import type { Plan } from '../core/plan/plan.ts';
import type { Announcement } from '../core/protocol/messages.ts';
import { firstEpochSecret, nextEpochSecret, type QkdMark, qkdPreSharedKey } from '../core/protocol/qkd-schedule.ts';
import type { PreSharedKey } from '../ports/crypto.ts';
import type { Identity } from '../ports/identity.ts';
import type { KeySource } from '../ports/key-source.ts';
import { TransportError } from '../ports/transport.ts';

/** The QKD link of a site. */
export type SiteQkd = {
  /** The key source towards the coordinator. */
  readonly source: KeySource;
  /** This site's SAE id at its key management entity. */
  readonly saeId: string;
};

/** A contribution that this site does not make, as the plan demands a QKD key and it has none. */
export class NoQkdKeyError extends Error {
  override readonly name = 'NoQkdKeyError';
}

/** The key for a contribution, or null: then the suite without one is used, which header and signature say. */
export type ClientQkd = {
  keyFor(announcement: Announcement): Promise<{ readonly mark: QkdMark; readonly psk: PreSharedKey } | null>;
};

/**
 * Fetches the announced keys and carries the epoch secret on. What must outlive this process is saved before it is used:
 * a key can be fetched once only.
 *
 * Errors: NoQkdKeyError where the plan demands a key and there is none; TransportError of kind security when the
 *         coordinator announces work without one although the plan demands it.
 */
export function createClientQkd(parts: {
  readonly plan: Plan;
  readonly identity: Identity;
  readonly save: (part: Pick<Identity, 'qkd'>) => Promise<void>;
  readonly site: SiteQkd | undefined;
  readonly say: (text: string) => void;
}): ClientQkd {
  const { plan, identity, site } = parts;
  const { policy } = plan.security.qkd;
  let state: NonNullable<Identity['qkd']> = identity.qkd ?? { epochs: [] };
  let complaint = '';

  async function keep(next: typeof state): Promise<void> {
    state = next;
    await parts.save({ qkd: state });
  }

  function epochSecret(epoch: number): Uint8Array {
    const known = state.epochs.find((one) => one.epoch === epoch);
    if (known !== undefined) return Uint8Array.fromBase64(known.secret);
    if (epoch === 0) return firstEpochSecret;
    throw new Error(`the secret of epoch ${epoch} is not here: this device's folder is older than the run; join anew`);
  }

  async function freshKey(keyId: string): Promise<Uint8Array | null> {
    if (keyId === '') return null;
    if (state.key?.keyId === keyId) return Uint8Array.fromBase64(state.key.bytes);
    if (site === undefined) throw new Error('this site has no key source (--kme)');
    const [key] = await site.source.collect([keyId]);
    await keep({ ...state, key: { keyId, bytes: key!.bytes.toBase64() } });
    return key!.bytes;
  }

  async function keyOf({ round, deviceId }: Announcement, mark: QkdMark) {
    const secret = epochSecret(mark.epoch);
    const inputs = { mark, epochSecret: secret, key: await freshKey(mark.keyId), deviceId, round };
    // Both sides of the step are kept: only the next announcement tells whether the coordinator took it.
    await keep({
      ...state,
      epochs: [
        { epoch: mark.epoch, secret: secret.toBase64() },
        { epoch: mark.epoch + 1, secret: nextEpochSecret(inputs).toBase64() },
      ],
    });
    return { mark, psk: qkdPreSharedKey(inputs) };
  }

  function withoutKey(reason: string): null {
    if (policy === 'required') throw new NoQkdKeyError(`Cannot contribute as the plan demands a QKD key: ${reason}`);
    if (reason !== complaint)
      parts.say(`no QKD key: ${reason}; ML-KEM-768 and X25519 go on alone, and the envelope says so`);
    complaint = reason;
    return null;
  }

  return {
    async keyFor(announcement) {
      const { qkd } = announcement;
      if (policy === 'off') return null;
      if (qkd === undefined) {
        if (policy === 'required')
          throw new TransportError(
            'security',
            'The coordinator announces work without the QKD key that the plan demands',
          );
        return null;
      }
      if (qkd.keyId === '' && policy === 'required')
        throw new TransportError('security', 'The coordinator announces no fresh QKD key, which the plan demands');
      try {
        return await keyOf(announcement, { epoch: qkd.epoch, keyId: qkd.keyId });
      } catch (error) {
        return withoutKey((error as Error).message);
      }
    },
  };
}
