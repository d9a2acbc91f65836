import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { Device } from '../../ports/store.ts';
import type { Coordinator } from '../coordinator.ts';
import type { CoordinatorParts } from '../parts.ts';

/** Anybody can send what is refused here: it must not fill the disk. Counted from the coordinator's start. */
const refusalsJournaledMax = 1000;
/** A device that is removed hears so on its open stream first. */
const farewellMs = 2000;

const reasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  CERT_REVOKED: 'revoked',
  CRL_HAS_EXPIRED: 'list-expired',
};

/**
 * Mutual TLS: who connects with a certificate must connect with a good one, or the connection is closed before a byte of a
 * request is read; who connects without one gets no further than the public routes and the owner's.
 *
 * OpenSSL checks chain, dates and list of revoked ones; the register is asked as well, which also covers connections that
 * resume an earlier one, where OpenSSL looks at no chain.
 */
export type CertificateGuard = {
  tls(): {
    readonly requestCert: true;
    readonly rejectUnauthorized: false;
    readonly ca: string[];
    readonly crl: string[];
  };
  watch(server: Server, channel: SecureContextOptions): void;
  /** Whether the certificate of this connection is one of this device and still holds. */
  names(socket: Socket, device: Device): boolean;
};

/** The guard of a coordinator whose plan demands certificates, or undefined. */
export function createCertificateGuard(
  coordinator: Coordinator,
  { plan, authority }: CoordinatorParts,
): CertificateGuard | undefined {
  if (plan.security.clientCertificates === 'off') return undefined;
  if (authority === undefined) throw new Error('A plan that demands client certificates needs an authority');
  const { certificates, standingOf, trust } = authority;
  const sockets = new Map<Socket, { readonly serial: string; readonly subject: string }>();
  let refusals = 0;

  const trusted = () => ({ ca: [...trust().ca], crl: [...trust().crl] });
  const note = (kind: `certificate.${string}`, data: Record<string, string>) =>
    void coordinator.note(kind, data).catch(() => {});

  function admit(socket: TLSSocket): void {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return;
    const serial = certificate.serialNumber.toLowerCase();
    const standing = standingOf(serial);
    if (socket.authorized && standing === 'valid') {
      const { subject } = certificates().find((row) => row.serial === serial)!;
      sockets.set(socket, { serial, subject });
      socket.once('close', () => sockets.delete(socket));
      return;
    }
    const found = String(socket.authorizationError ?? standing);
    socket.destroy();
    refusals += 1;
    if (refusals > refusalsJournaledMax) return;
    note('certificate.refused', {
      code: reasons[found] ?? (socket.authorized ? standing : 'untrusted'),
      serial,
      found,
    });
  }

  async function revokeRemoved(deviceId: string): Promise<void> {
    for (const { serial } of await authority!.revokeSubject(deviceId, 'privilegeWithdrawn')) {
      note('certificate.revoked', { deviceId, serial, reason: 'privilegeWithdrawn' });
    }
  }

  function closeRevoked(): void {
    const worthless = [...sockets].filter(([, { serial }]) => standingOf(serial) !== 'valid');
    setTimeout(() => {
      for (const [socket] of worthless) socket.destroy();
    }, farewellMs).unref();
  }

  return {
    tls: () => ({ requestCert: true, rejectUnauthorized: false, ...trusted() }),
    watch(server, channel) {
      // Before the listener that reads HTTP.
      server.prependListener('secureConnection', admit);
      const endings = [
        authority.onChange(() => {
          server.setSecureContext({ ...channel, ...trusted() });
          closeRevoked();
        }),
        coordinator.onCommit((rows) => {
          for (const { entry } of rows) {
            if (entry.kind !== 'device.status' || entry.data['status'] !== 'removed') continue;
            revokeRemoved(entry.data['deviceId'] as string).catch((error: Error) => process.emitWarning(error));
          }
        }),
      ];
      server.once('close', () => endings.forEach((end) => end()));
      // A crash between a removal and its revocation.
      const { devices } = coordinator.snapshot();
      for (const subject of new Set(certificates().map((row) => row.subject))) {
        if (devices.get(subject)?.status === 'removed') void revokeRemoved(subject).catch(() => {});
      }
    },
    names(socket, { deviceId }) {
      const shown = sockets.get(socket);
      return shown !== undefined && shown.subject === deviceId && standingOf(shown.serial) === 'valid';
    },
  };
}
