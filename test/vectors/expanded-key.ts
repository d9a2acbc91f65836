import { createPrivateKey, type KeyObject } from 'node:crypto';

/** The last two arcs of an algorithm's object identifier, below 2.16.840.1.101.3.4. */
const arcs = {
  'ML-DSA-44': [3, 17],
  'ML-DSA-65': [3, 18],
  'ML-DSA-87': [3, 19],
  'ML-KEM-512': [4, 1],
  'ML-KEM-768': [4, 2],
  'ML-KEM-1024': [4, 3],
} as const;

/** A private key in the expanded form of FIPS 203 and FIPS 204, by way of PKCS #8 (RFC 9881 and 9935: the choice `expandedKey`). */
export function nativeExpanded(name: keyof typeof arcs, expanded: Uint8Array): KeyObject {
  const oid = Buffer.from([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, ...arcs[name]]);
  const body = [Buffer.from([2, 1, 0]), der(0x30, der(6, oid)), der(4, der(4, expanded))];
  return createPrivateKey({ key: der(0x30, Buffer.concat(body)), format: 'der', type: 'pkcs8' });
}

function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}
