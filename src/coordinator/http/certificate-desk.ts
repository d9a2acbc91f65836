import type { Coordinator } from '../coordinator.ts';
import type { CoordinatorParts } from '../parts.ts';
import { HttpError } from './routes.ts';

const dayMs = 86_400_000;
/** A device asks once, then each two months: more is a fault or an attack, and each fills the register. */
const certificatesADayMax = 8;

/** Where certificates are handed out to devices that have proven who they are. */
export function createCertificateDesk(
  coordinator: Coordinator,
  { authority, clock }: CoordinatorParts,
): { issue(deviceId: string, request: string): Promise<string> } {
  return {
    async issue(deviceId, request) {
      if (authority === undefined) throw new HttpError(404, 'no-authority', 'This coordinator issues no certificates');
      const sinceMs = clock.wallMs() - dayMs;
      const recent = authority
        .certificates()
        .filter(({ subject, notBeforeMs }) => subject === deviceId && notBeforeMs > sinceMs);
      if (recent.length >= certificatesADayMax) {
        throw new HttpError(429, 'too-many-certificates', 'This device has asked for too many certificates today');
      }
      const issued = await authority.issue(request, deviceId);
      if (issued === undefined)
        throw new HttpError(422, 'bad-request', 'The request for a certificate was not accepted');
      const { serial, notAfterMs } = issued.record;
      await coordinator.note('certificate.issued', { deviceId, serial, notAfterMs });
      return issued.certificate;
    },
  };
}
