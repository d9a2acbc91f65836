/** What a signature is for. The context string of ML-DSA: a signature for one purpose verifies for no other. */
export const purposes = {
  enrolment: 'qflare/enrolment/v1',
  invitation: 'qflare/invitation/v1',
  session: 'qflare/session/v1',
  envelope: 'qflare/envelope/v1',
  decline: 'qflare/decline/v1',
  keyCertificate: 'qflare/key-certificate/v1',
  deviceKey: 'qflare/device-key/v1',
  certificateRequest: 'qflare/certificate-request/v1',
  announcement: 'qflare/announcement/v1',
  treeHead: 'qflare/tree-head/v1',
  cosignature: 'qflare/cosignature/v1',
  modelCard: 'qflare/model-card/v1',
  exportList: 'qflare/export-list/v1',
} as const;

export type Purpose = (typeof purposes)[keyof typeof purposes];

/**
 * Whose key signs for a purpose. A key of a coordinator signs for one purpose and no other. A device has one key, whose
 * purpose is to be the device: it proves itself in six ways, which context and pre-image keep apart.
 */
export const signers = {
  enrolment: 'device',
  invitation: 'invitation',
  session: 'device',
  envelope: 'device',
  decline: 'device',
  deviceKey: 'device',
  certificateRequest: 'device',
  keyCertificate: 'root',
  announcement: 'announcement',
  treeHead: 'tree-head',
  cosignature: 'witness',
  modelCard: 'model-card',
  exportList: 'export-list',
} as const satisfies Readonly<Record<keyof typeof purposes, string>>;

export type Signer = (typeof signers)[keyof typeof signers];

/**
 * What is signed for a purpose: the purpose stands before the message, so that an algorithm without contexts, or one that
 * loses its context, still signs for one purpose only.
 *
 * Formula:  purpose ‖ 0x00 ‖ message.
 * Promises: no purpose holds a zero byte, so that no two pairs of purpose and message give the same bytes.
 */
export function preimageOf(purpose: Purpose, message: Uint8Array): Uint8Array {
  const tag = new TextEncoder().encode(purpose);
  const bytes = new Uint8Array(tag.length + 1 + message.length);
  bytes.set(tag);
  bytes.set(message, tag.length + 1);
  return bytes;
}

/** A key that signs for its own purposes and throws at any other: a mix-up in our own code signs nothing. */
export function signsOnlyAs<Key extends { sign(purpose: Purpose, message: Uint8Array): Uint8Array }>(
  signer: Signer,
  key: Key,
): Key {
  const own = Object.entries(signers).filter(([, by]) => by === signer);
  const allowed = new Set<Purpose>(own.map(([name]) => purposes[name as keyof typeof purposes]));
  return {
    ...key,
    sign(purpose, message) {
      if (allowed.has(purpose)) return key.sign(purpose, message);
      throw new RangeError(`Cannot sign as the purpose must be one of the ${signer} key: current value is ${purpose}`);
    },
  };
}
