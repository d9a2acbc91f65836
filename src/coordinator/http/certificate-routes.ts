import { anchorRequest, issueRequest, revokeRequest } from '../../core/protocol/messages.ts';
import { AnchorError, type CertificateAuthority } from '../../ports/authority.ts';
import type { Coordinator } from '../coordinator.ts';
import type { CoordinatorParts } from '../parts.ts';
import { parse } from './device-surface.ts';
import { HttpError, type Route } from './routes.ts';

/** What the operator calls to work with the coordinator's own authority while the run goes on. */
export function certificateRoutes(coordinator: Coordinator, parts: CoordinatorParts): readonly Route[] {
  function authority(): CertificateAuthority {
    if (parts.authority !== undefined) return parts.authority;
    throw new HttpError(404, 'no-authority', 'This coordinator has no authority');
  }

  /** What does not lead to the root is a refusal that says why. */
  function anchored<T>(work: Promise<T>): Promise<T> {
    return work.catch((error: unknown) => {
      if (error instanceof AnchorError) throw new HttpError(409, 'not-anchored', error.message);
      throw error;
    });
  }

  return [
    {
      method: 'POST',
      url: '/v1/admin/certificates',
      role: 'owner',
      summary: 'Issue a certificate for a request that came another way',
      async handle({ request }) {
        const { request: text, subject } = parse(issueRequest, request.body);
        const issued = await authority().issue(text, subject);
        if (issued === undefined)
          throw new HttpError(422, 'bad-request', 'The request for a certificate was not accepted');
        await coordinator.note('certificate.issued', { deviceId: subject, serial: issued.record.serial });
        return issued;
      },
    },
    {
      method: 'POST',
      url: '/v1/admin/certificates/:serial',
      role: 'owner',
      summary: 'Revoke a certificate; its connections end, and it opens no other',
      async handle({ request }) {
        const { serial } = request.params as { serial: string };
        const { reason } = parse(revokeRequest, request.body);
        const revoked = await authority().revoke(serial, reason);
        if (revoked === undefined) throw new HttpError(404, 'no-such-certificate', 'There is no such certificate');
        await coordinator.note('certificate.revoked', { deviceId: revoked.subject, serial, reason });
        return revoked;
      },
    },
    {
      method: 'POST',
      url: '/v1/admin/authority',
      role: 'owner',
      summary:
        "Put a new key and certificate in place of the authority's; what the former has issued holds until it ends",
      async handle() {
        const made = await anchored(authority().rotate());
        await coordinator.note('certificate.authority', { generation: made.number });
        return made;
      },
    },
    {
      method: 'POST',
      url: '/v1/admin/authority/root',
      role: 'owner',
      summary: 'Put the authority in use under an offline root that has signed its key, for good',
      async handle({ request }) {
        await anchored(authority().anchor(parse(anchorRequest, request.body)));
        const { number } = authority().generations().at(-1)!;
        await coordinator.note('certificate.anchored', { generation: number });
        return { generation: number };
      },
    },
  ];
}
