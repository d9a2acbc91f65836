import type { Aead } from '../../ports/crypto.ts';

const magic = Uint8Array.from([0x51, 0x46, 0x53, 0x44]); // "QFSD"
const formatVersion = 1;
const headBytes = magic.length + 1 + 4;
const nonceBytes = 12;
const dataKeyBytes = 32;
const wrappedBytes = nonceBytes + dataKeyBytes + 16;

/** What sealing needs of the machine. */
export type Sealing = { aead(key: Uint8Array): Aead; randomBytes(count: number): Uint8Array };

/**
 * Envelope encryption of what rests on a disk: a data key of its own for each object, wrapped under a versioned key.
 *
 * Formula: "QFSD" ‖ 1 ‖ version ‖ nonce ‖ AES-256-GCM(key, nonce, dataKey; head ‖ place) ‖ AES-256-GCM(dataKey, 0, plaintext; place)
 * Shapes:  69 + 16 bytes more than the plaintext.
 * Needs:   nonces are random: fewer than 2³² objects under one version (SP 800-38D, section 8.3); rotation begins anew.
 * Promises: opens under its version and at its place only. A data key seals once, so that its nonce may be zero.
 * Source:  envelope encryption as NIST SP 800-57 part 1, section 5.3, speaks of key-encryption keys.
 */
export function sealObject(
  key: { readonly version: number; readonly bytes: Uint8Array },
  place: string,
  plaintext: Uint8Array,
  crypto: Sealing,
): Uint8Array {
  const head = headOf(key.version);
  const nonce = crypto.randomBytes(nonceBytes);
  const dataKey = crypto.randomBytes(dataKeyBytes);
  const wrapped = crypto.aead(key.bytes).seal(nonce, dataKey, aadOf(head, place));
  const sealed = crypto.aead(dataKey).seal(new Uint8Array(nonceBytes), plaintext, utf8(place));
  dataKey.fill(0);
  const result = new Uint8Array(headBytes + wrappedBytes + sealed.length);
  result.set(head);
  result.set(nonce, headBytes);
  result.set(wrapped, headBytes + nonceBytes);
  result.set(sealed, headBytes + wrappedBytes);
  return result;
}

/** Which version of the key has sealed these bytes; undefined where they are not sealed so. */
export function sealedUnder(sealed: Uint8Array): number | undefined {
  if (sealed.length < headBytes + wrappedBytes + 16) return undefined;
  if (!magic.every((byte, i) => sealed[i] === byte) || sealed[magic.length] !== formatVersion) return undefined;
  return new DataView(sealed.buffer, sealed.byteOffset).getUint32(magic.length + 1);
}

/** Opens a sealed object under the key of its version; undefined when key, place or bytes are another. */
export function openObject(
  key: { readonly version: number; readonly bytes: Uint8Array },
  place: string,
  sealed: Uint8Array,
  crypto: Pick<Sealing, 'aead'>,
): Uint8Array | undefined {
  if (sealedUnder(sealed) !== key.version) return undefined;
  const nonce = sealed.subarray(headBytes, headBytes + nonceBytes);
  const wrapped = sealed.subarray(headBytes + nonceBytes, headBytes + wrappedBytes);
  const dataKey = crypto.aead(key.bytes).open(nonce, wrapped, aadOf(headOf(key.version), place));
  if (dataKey === undefined) return undefined;
  const body = sealed.subarray(headBytes + wrappedBytes);
  const plaintext = crypto.aead(dataKey).open(new Uint8Array(nonceBytes), body, utf8(place));
  dataKey.fill(0);
  return plaintext;
}

function headOf(version: number): Uint8Array {
  const head = new Uint8Array(headBytes);
  head.set(magic);
  head[magic.length] = formatVersion;
  new DataView(head.buffer).setUint32(magic.length + 1, version);
  return head;
}

function aadOf(head: Uint8Array, place: string): Uint8Array {
  return Uint8Array.from([...head, ...utf8(place)]);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
