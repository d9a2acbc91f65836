import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Crypto, SigningKey } from '../../ports/crypto.ts';
import { canonicalBytes } from './canonical-json.ts';
import type { EnrolRequest } from './messages.ts';
import { purposes, signsOnlyAs } from './purposes.ts';
import { seedMark87, signatureAlgorithms, signatureSchemes } from './signature-scheme.ts';
import { type PlainSuiteId, suites } from './suite.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

/**
 * The signing key that a link's token stands for. The token is given to a site in its link and never sent: who enrols
 * signs with this key, and the coordinator keeps a hash of its public half.
 *
 * Formula:  seed = HKDF-SHA256(ikm = token, info = "qflare/invitation/v1" ‖ 0x00 ‖ algorithm), for each algorithm of the
 *           suite's signatures.
 * Promises: neither what is sent nor what rests at the coordinator enrols a device.
 */
export function invitationKey(
  token: string,
  suite: PlainSuiteId,
  crypto: Pick<Crypto, 'importSigningKey'>,
): SigningKey {
  const seeds = signatureSchemes[suites[suite].signature].map((algorithm) => {
    const { seedBytes } = signatureAlgorithms[algorithm];
    const seed = hkdf(sha256, utf8(token), undefined, utf8(`${purposes.invitation}\0${algorithm}`), seedBytes);
    if (algorithm === 'ml-dsa-87') seed[0] = seedMark87;
    return seed;
  });
  const seed = new Uint8Array(seeds.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of seeds) {
    seed.set(part, at);
    at += part.length;
  }
  return signsOnlyAs('invitation', crypto.importSigningKey(seed));
}

/** The name of an invitation: the hash of its public key, in hexadecimal. */
export function invitationHash(publicKey: Uint8Array): string {
  return sha256(publicKey).toHex();
}

/** What an invitation's key and the device's key both sign to enrol that device, for this server and this connection only. */
export function enrolmentBytes(parts: {
  readonly invitation: string;
  readonly publicKey: string;
  readonly pin: string;
  readonly channel: string;
}): Uint8Array {
  return canonicalBytes(parts);
}

/** A request to enrol a device, for the connection with this exporter. */
export function enrolmentRequest(
  said: {
    readonly token: string;
    readonly suite: PlainSuiteId;
    readonly name: string;
    readonly key: SigningKey;
    readonly pin: string;
    readonly channel: string;
  },
  crypto: Pick<Crypto, 'importSigningKey'>,
): EnrolRequest {
  const { name, key, pin, channel } = said;
  const invited = invitationKey(said.token, said.suite, crypto);
  const publicKey = key.publicKey.toBase64();
  const message = enrolmentBytes({ invitation: invitationHash(invited.publicKey), publicKey, pin, channel });
  return {
    invitation: invited.publicKey.toBase64(),
    voucher: invited.sign(purposes.invitation, message).toBase64(),
    name,
    publicKey,
    channel,
    proof: key.sign(purposes.enrolment, message).toBase64(),
  };
}
