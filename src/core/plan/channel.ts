import { z } from 'zod';
import type { PlainSuiteId } from '../protocol/suite.ts';
import { type ChannelProfile, channelProfileIds, channelProfiles } from '../protocol/channel-profile.ts';

/** Whether a device shows a certificate when it connects: a lock beyond the pinned server and the signed challenge. */
export const clientCertificatesSchema = z
  .enum(['off', 'required'])
  .default('off')
  .describe(
    'mutual TLS. required: a device must connect with a certificate that the coordinator’s own authority has issued to it, which "qflare join" asks for by itself; a browser cannot',
  );

/** Which channel everybody speaks. */
export const profileSchema = z
  .enum(channelProfileIds)
  .default('default')
  .describe(
    'the TLS channel, settled when "qflare init" makes the server’s key. default: X25519MLKEM768, ML-DSA-65; cnsa-style: SecP384r1MLKEM1024, ML-DSA-87; compatibility: classical X25519 and ECDSA P-384, said in every status and report',
  );

/** The group is the profile's: another one is refused. */
export const channelSchema = z
  .string()
  .optional()
  .describe('the only TLS 1.3 group that is accepted: that of the profile, and no other');

type Security = {
  readonly profile: ChannelProfile;
  readonly channel?: string | undefined;
  readonly suite?: PlainSuiteId | undefined;
};

/** What is wrong with the channel and the suite of a plan. */
export function channelProblems(security: Security): readonly { path: string[]; message: string }[] {
  const { profile, channel } = security;
  const { group } = channelProfiles[profile];
  if (channel === undefined || channel === group) return suiteProblems(security);
  const fitting = channelProfileIds.find((id) => channelProfiles[id].group === channel);
  const way = fitting === undefined ? 'no profile has this group' : `security.profile = "${fitting}" has this group`;
  const message = `must be ${group} under profile ${profile} (${way}): current value is "${channel}"`;
  return [{ path: ['security', 'channel'], message }, ...suiteProblems(security)];
}

/** What envelopes, device keys and announcements are made of: what the profile has unless the plan names it. */
export const suiteSchema = z
  .union([z.literal(1), z.literal(3), z.literal(5)])
  .optional()
  .describe(
    '1: MLKEM768-X25519, HKDF-SHA256, AES-256-GCM, ML-DSA-65; 3: the same, and devices and announcements are signed with Ed25519 and ML-DSA-65, both of which must verify; 5, the one of cnsa-style: MLKEM1024-P384, HKDF-SHA384, AES-256-GCM, ML-DSA-87, announcements too. The default is 5 under cnsa-style and 1 else',
  );

const suitesOf: Readonly<Record<ChannelProfile, readonly [PlainSuiteId, ...PlainSuiteId[]]>> = {
  default: [1, 3],
  'cnsa-style': [5],
  compatibility: [1, 3],
};

/** The suite of a plan: the named one, or the first of its profile. */
export function resolveSuite({ profile, suite }: Pick<Security, 'profile' | 'suite'>): PlainSuiteId {
  return suite ?? suitesOf[profile][0];
}

function suiteProblems({ profile, suite }: Security): readonly { path: string[]; message: string }[] {
  if (suite === undefined || suitesOf[profile].includes(suite)) return [];
  const fitting = channelProfileIds.find((id) => suitesOf[id].includes(suite));
  const legal = suitesOf[profile].join(' or ');
  const message = `must be ${legal} under profile ${profile} (security.profile = "${fitting}" has this suite): current value is ${suite}`;
  return [{ path: ['security', 'suite'], message }];
}
