/** Why a client's message was refused. The list is closed; the wire and the journal use these names. */
export const refusalCodes = {
  malformed: 'the bytes are not an envelope',
  'wrong-version': 'the envelope is of a wire version that this coordinator does not accept',
  'too-large': 'the message is larger than the plan allows',
  'wrong-suite': 'the cryptographic suite is not the one of the plan',
  'wrong-qkd-key': 'the envelope names another QKD key than the one announced, or none where one must be',
  'wrong-codec': 'the codec is not the one of the plan',
  'wrong-run': 'the envelope names another organisation or run',
  'wrong-round': 'the envelope names another round or phase',
  'wrong-model': 'the envelope names another base model or layout',
  'wrong-device': 'the envelope names another device than the one that sends it',
  'not-invited': 'the client does not take part in this round',
  'round-closed': 'the phase has been closed already',
  replayed: 'another envelope of this device was accepted in this phase',
  'bad-signature': 'the signature does not verify',
  'bad-ciphertext': 'the sealed bytes do not open under the key of the round',
  'bad-payload': 'the opened bytes are not a payload of this kind',
  'wrong-shape': 'the vector has another length than the model',
  'not-finite': 'a value is not a finite number',
} as const;

export type RefusalCode = keyof typeof refusalCodes;

/** A refusal as a value. `detail` goes to the journal, not to the sender. */
export type Rejection = { readonly ok: false; readonly code: RefusalCode; readonly detail: string };

export type Outcome<T> = { readonly ok: true; readonly value: T } | Rejection;

export function accepted<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function rejected(code: RefusalCode, detail: string): Rejection {
  return { ok: false, code, detail };
}
