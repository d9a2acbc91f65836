import { type Transport, TransportError } from '../ports/transport.ts';

/**
 * A transport that shows a certificate, and says so when it is the certificate that is refused: TLS 1.3 tells a client
 * only by closing the line, which looks like a coordinator that is down.
 *
 * It is the certificate when the coordinator answers without one before and after it does not answer with it.
 */
export function certifiedTransport(certified: Transport, open: () => Transport): Transport {
  async function isCertificateRefused(): Promise<boolean> {
    const bare = open();
    try {
      return (await isAnswered(bare)) && !(await isAnswered(certified)) && (await isAnswered(bare));
    } finally {
      bare.close();
    }
  }

  return {
    ...certified,
    async request(call) {
      try {
        return await certified.request(call);
      } catch (error) {
        const isCut = error instanceof TransportError && error.kind === 'network';
        if (!isCut || !(await isCertificateRefused())) throw error;
        throw new TransportError(
          'security',
          'The coordinator does not accept the certificate of this device: it was revoked, or the device was removed',
        );
      }
    },
  };
}

async function isAnswered(transport: Transport): Promise<boolean> {
  try {
    return (await transport.request({ method: 'GET', path: '/health' })).status === 200;
  } catch {
    return false;
  }
}
