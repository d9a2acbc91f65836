import { createCertificateRequest } from '../adapters/certificate-request.ts';
import { X509Certificate } from '../primitives/index.ts';
import { requestCertificate } from '../client/certificate.ts';
import type { Crypto } from '../ports/crypto.ts';
import type { IdentityStore } from '../ports/identity.ts';
import type { TlsIdentity, TlsIdentityStore } from '../ports/tls-identity.ts';
import type { Transport } from '../ports/transport.ts';

const checkMs = 3_600_000;

/** The certificate of a device: asked for where there is none, and anew when a third of its time is left. */
export async function holdCertificate(parts: {
  readonly deviceId: string;
  /** Where the key lies that the coordinator knows the device by: it may have been replaced since. */
  readonly identity: Pick<IdentityStore, 'load'>;
  readonly store: TlsIdentityStore;
  readonly crypto: Crypto;
  readonly pin: string;
  readonly algorithm: Parameters<typeof createCertificateRequest>[1];
  /** A connection that shows no certificate: one that has ended would be refused. */
  readonly open: () => Transport;
  readonly say: (text: string) => void;
  readonly nowMs?: () => number;
}): Promise<{ readonly current: () => TlsIdentity; readonly stop: () => void }> {
  const { deviceId, identity, store, crypto, pin, open, say, nowMs = Date.now } = parts;

  async function renewed(): Promise<TlsIdentity> {
    const transport = open();
    try {
      const { key, request } = await createCertificateRequest(deviceId, parts.algorithm);
      const signer = crypto.importSigningKey(Uint8Array.fromBase64((await identity.load())!.signingSeed!));
      const made = { key, cert: await requestCertificate(transport, { deviceId, key: signer, pin, request }) };
      await store.save(made);
      return made;
    } finally {
      transport.close();
    }
  }

  const found = await store.load();
  let current = found === undefined || isDue(found.cert, nowMs()) ? await renewed() : found;
  const timer = setInterval(() => {
    if (!isDue(current.cert, nowMs())) return;
    renewed().then(
      (made) => (current = made),
      (error: Error) => say(`the certificate could not be renewed yet: ${error.message}`),
    );
  }, checkMs).unref();
  return { current: () => current, stop: () => clearInterval(timer) };
}

function isDue(cert: string, nowMs: number): boolean {
  const { validFromDate, validToDate } = new X509Certificate(cert);
  return validToDate.getTime() - nowMs < (validToDate.getTime() - validFromDate.getTime()) / 3;
}
