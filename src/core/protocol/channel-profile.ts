/**
 * What a run's channel is made of: a named profile, chosen in the plan, the same for everybody. There is no negotiation:
 * a server offers one group, and a client takes one group and one signature algorithm. Envelopes do not depend on it.
 *
 * `signature` is the algorithm of the server's key, of the authority and of client certificates.
 */
export const channelProfiles = {
  default: {
    group: 'X25519MLKEM768',
    signature: 'ML-DSA-65',
    serverSignatures: 'mldsa65',
    isPostQuantum: true,
    is: 'hybrid ML-KEM-768, ML-DSA-65',
  },
  'cnsa-style': {
    group: 'SecP384r1MLKEM1024',
    signature: 'ML-DSA-87',
    serverSignatures: 'mldsa87',
    isPostQuantum: true,
    is: 'hybrid ML-KEM-1024, ML-DSA-87; the parameter sets of CNSA 2.0, no claim of conformance',
  },
  compatibility: {
    group: 'X25519',
    signature: 'ECDSA-P-384',
    serverSignatures: 'ecdsa_secp384r1_sha384',
    isPostQuantum: false,
    is: 'CLASSICAL: what is recorded now can be opened by a quantum computer later; envelopes inside stay post-quantum',
  },
} as const;

export type ChannelProfile = keyof typeof channelProfiles;

export const channelProfileIds = Object.keys(channelProfiles) as [ChannelProfile, ...ChannelProfile[]];

/** What a TLS client of a profile accepts: one group, one signature algorithm. */
export function clientChannel(profile: ChannelProfile): { readonly group: string; readonly sigalgs: string } {
  const { group, serverSignatures } = channelProfiles[profile];
  return { group, sigalgs: serverSignatures };
}

/** A profile and what it is, in one line for people. */
export function describeProfile(profile: ChannelProfile): string {
  return `${profile} (${channelProfiles[profile].is})`;
}

/** The profile of a plan as a run's record keeps it, in one line; null where the record is older than profiles. */
export function profileOf(plan: unknown): string | null {
  const id = (plan as { security?: { profile?: string } } | null)?.security?.profile;
  const known = channelProfileIds.find((one) => one === id);
  return known === undefined ? null : describeProfile(known);
}
