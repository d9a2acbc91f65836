import type { Crypto } from '../../ports/crypto.ts';
import { type EnvelopeHead, signedBytes } from '../protocol/envelope.ts';
import type { QkdMark } from '../protocol/qkd-schedule.ts';
import { purposes } from '../protocol/purposes.ts';
import type { SuiteId } from '../protocol/suite.ts';
import { accepted, type Outcome, type Rejection, rejected } from './rejection.ts';
import type { Verified } from './stages.ts';

/** What an envelope must say and who must have signed it. */
export type Expectation = {
  readonly kind: EnvelopeHead['header']['kind'];
  /** The suite without a QKD key, or null where the plan demands one. */
  readonly suite: SuiteId | null;
  /** The suite with the QKD key that was announced to this device, where one was. */
  readonly withQkd?: { readonly suite: SuiteId; readonly mark: QkdMark } | undefined;
  /** The codec's wire number; 0 for metrics. */
  readonly codec: number;
  readonly orgId: string;
  readonly runId: string;
  readonly deviceId: string;
  readonly round: number;
  readonly baseModel: Uint8Array;
  readonly layout: Uint8Array;
  readonly plaintextBytesMax: number;
  readonly publicKey: Uint8Array;
};

/**
 * Checks the address and the signature of an envelope's head, in this order: cheap checks first. The signature covers
 * the hash of each chunk, so that chunks can be taken one by one afterwards.
 *
 * Promises: never throws for anything a client sent.
 */
export async function verifyEnvelope(
  head: EnvelopeHead,
  expected: Expectation,
  crypto: Crypto,
): Promise<Outcome<Verified>> {
  const refusal = checkAddress(head, expected, crypto);
  if (refusal !== undefined) return refusal;
  const message = signedBytes(head.headerBytes, head.enc, head.chunkHashes, crypto.sha256);
  const isSigned = await crypto.verify(expected.publicKey, purposes.envelope, message, head.signature);
  if (!isSigned) return rejected('bad-signature', 'a signature does not verify');
  return accepted({ head } as Verified);
}

function checkAddress({ header }: EnvelopeHead, expected: Expectation, crypto: Crypto): Rejection | undefined {
  const suiteRefusal = checkSuite(header, expected);
  if (suiteRefusal !== undefined) return suiteRefusal;
  if (header.orgId !== expected.orgId || header.runId !== expected.runId) {
    return rejected('wrong-run', `${header.orgId}/${header.runId}`);
  }
  if (header.deviceId !== expected.deviceId) return rejected('wrong-device', header.deviceId);
  if (header.round !== expected.round || header.kind !== expected.kind) {
    return rejected('wrong-round', `${header.kind} of round ${header.round}`);
  }
  if (header.codec !== expected.codec) return rejected('wrong-codec', `codec ${header.codec}`);
  if (!crypto.isEqual(header.baseModel, expected.baseModel)) {
    return rejected('wrong-model', `base ${header.baseModel.toHex()}`);
  }
  if (!crypto.isEqual(header.layout, expected.layout)) {
    return rejected('wrong-model', `layout ${header.layout.toHex()}`);
  }
  if (header.plaintextBytes > expected.plaintextBytesMax) {
    return rejected('too-large', `${header.plaintextBytes} bytes of at most ${expected.plaintextBytesMax}`);
  }
  return undefined;
}

/** No negotiation: one of the announced suites, and with the QKD suite the announced key. */
function checkSuite({ suite, qkd }: EnvelopeHead['header'], expected: Expectation): Rejection | undefined {
  if (qkd === undefined) {
    if (suite === expected.suite) return undefined;
    return expected.suite === null
      ? rejected('wrong-qkd-key', `suite ${suite} has no QKD key and the plan demands one`)
      : rejected('wrong-suite', `suite ${suite}`);
  }
  const { withQkd } = expected;
  if (withQkd === undefined || suite !== withQkd.suite) return rejected('wrong-suite', `suite ${suite}`);
  const isAnnounced = qkd.epoch === withQkd.mark.epoch && qkd.keyId === withQkd.mark.keyId;
  return isAnnounced ? undefined : rejected('wrong-qkd-key', `key ${qkd.epoch}/${qkd.keyId}`);
}

/** Whether a chunk is the one that a verified head names. */
export function isChunk({ head }: Verified, i: number, sealed: Uint8Array, crypto: Crypto): boolean {
  return crypto.isEqual(crypto.sha256(sealed), head.chunkHashes[i]!);
}
