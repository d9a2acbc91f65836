import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { PreSharedKey } from '../../ports/crypto.ts';
import { createWriter } from './binary.ts';

/**
 * Which QKD key an envelope mixes in: said by the announcement, repeated in the envelope's header, so both signatures
 * and the key schedule cover it. An empty `keyId` is the flag qkd = 0: no fresh key, the epoch secret alone.
 */
export type QkdMark = { readonly epoch: number; readonly keyId: string };

/** Keys of 256 bits are asked for, whatever the link's own size is. */
export const qkdKeyBits = 256;

const secretBytes = 32;

/** Before the first key a device and its coordinator share nothing. */
export const firstEpochSecret: Uint8Array = new Uint8Array(secretBytes);

type Inputs = {
  readonly mark: QkdMark;
  readonly epochSecret: Uint8Array;
  /** The fresh key; null when the mark names none. */
  readonly key: Uint8Array | null;
  /** Bound in, so that a key that reached another device or round derives something else. */
  readonly deviceId: string;
  readonly round: number;
};

/**
 * The pre-shared key of one device in one round, for HPKE `mode_psk` beside ML-KEM-768 and X25519.
 *
 * Formula:  psk = HKDF-SHA256(salt = S_e, ikm = K or 0³², info = "qflare/qkd/v1/psk" ‖ qkd ‖ e ‖ round ‖ device ‖ key id)
 * Shapes:   S_e and psk are 32 bytes; K is 32 bytes from the QKD link.
 * Needs:    mark.keyId is empty if and only if K is null.  Throws RangeError otherwise.
 * Promises: an envelope opens only for who holds the round's private key and psk: losing either leaves the other. It is
 *           never used alone.
 * Source:   RFC 9180 section 5.1.2; ETSI TS 103 744 (lengths and context in the derivation); Muckle (Dowling, Hansen,
 *           Paterson 2020) for the secret that is carried on.
 */
export function qkdPreSharedKey(inputs: Inputs): PreSharedKey {
  const { epoch, keyId } = inputs.mark;
  return { key: derive('psk', inputs), id: new TextEncoder().encode(`qflare-qkd/${epoch}/${keyId}`) };
}

/**
 * The secret that is carried on to the next epoch: whoever learns one QKD key later lacks all that came before it, and
 * a link that fails does not take back what earlier keys gave.
 *
 * Formula:  S_(e+1) = HKDF-SHA256(salt = S_e, ikm = K or 0³², info = "qflare/qkd/v1/epoch" ‖ …)
 * Promises: one way: S_(e+1) does not give S_e.
 */
export function nextEpochSecret(inputs: Inputs): Uint8Array {
  return derive('epoch', inputs);
}

function derive(use: 'psk' | 'epoch', { mark, epochSecret, key, deviceId, round }: Inputs): Uint8Array {
  if ((mark.keyId === '') !== (key === null)) {
    throw new RangeError(
      `Cannot derive a key as a key id must come with its key: current value is "${mark.keyId}" with ${key === null ? 'no key' : 'a key'}`,
    );
  }
  const writer = createWriter();
  writer.text(`qflare/qkd/v1/${use}`);
  writer.uint8(key === null ? 0 : 1);
  writer.uint32(mark.epoch);
  writer.uint32(round);
  writer.text(deviceId);
  writer.text(mark.keyId);
  return hkdf(sha256, key ?? new Uint8Array(secretBytes), epochSecret, writer.result(), secretBytes);
}
