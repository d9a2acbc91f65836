import { z } from 'zod';
import type { Crypto, SigningKey } from '../../ports/crypto.ts';
import { canonicalBytes } from './canonical-json.ts';
import { deviceKeyText, deviceSignatureText } from './messages-fields.ts';
import { purposes } from './purposes.ts';

/**
 * What the coordinator's root key says of the key that signs announcements. A higher version takes a lower one's place; none
 * holds after its end, in milliseconds of Unix time.
 */
export const keyCertificate = z.strictObject({
  version: z.int().min(1),
  endsAtMs: z.int().min(0),
  publicKey: deviceKeyText,
  signature: deviceSignatureText,
});

export type KeyCertificate = z.infer<typeof keyCertificate>;

/** The run that a certificate is for: it holds in no other. */
export type CertifiedRun = { readonly orgId: string; readonly runId: string };

export type CertifiedVersion = Pick<KeyCertificate, 'version' | 'endsAtMs'>;

/** Certifies a key under a root key that signs nothing else. */
export function certifyKey(
  root: SigningKey,
  run: CertifiedRun,
  publicKey: Uint8Array,
  { version, endsAtMs }: CertifiedVersion,
): KeyCertificate {
  const text = publicKey.toBase64();
  const signature = root.sign(purposes.keyCertificate, certifiedBytes(run, { version, endsAtMs }, text)).toBase64();
  return { version, endsAtMs, publicKey: text, signature };
}

/** Whether the root key has signed this certificate for this run. */
export function isCertified(
  root: Uint8Array,
  run: CertifiedRun,
  { version, endsAtMs, publicKey, signature }: KeyCertificate,
  crypto: Pick<Crypto, 'verify'>,
): Promise<boolean> {
  const bytes = certifiedBytes(run, { version, endsAtMs }, publicKey);
  return crypto.verify(root, purposes.keyCertificate, bytes, Uint8Array.fromBase64(signature));
}

function certifiedBytes(
  { orgId, runId }: CertifiedRun,
  { version, endsAtMs }: CertifiedVersion,
  publicKey: string,
): Uint8Array {
  return canonicalBytes({ key: 'announcement', orgId, runId, version, endsAtMs, publicKey });
}
