import { type AuthorityState, type AuthorityStorage, createAuthority } from '../../src/adapters/authority-x509.ts';
import type { CertificateAlgorithm } from '../../src/adapters/authority-x509/certificates.ts';

/** Where an authority lies in memory. */
function memoryAuthorityStorage(): AuthorityStorage & { readonly saved: () => AuthorityState } {
  let state: AuthorityState | undefined;
  const keys: Uint8Array[] = [];
  return {
    load: async () => state,
    save: async (next) => void (state = next),
    keepKey: async (key) => `key-${keys.push(key)}`,
    key: async (id) => keys[Number(id.slice(4)) - 1]!,
    saved: () => state!,
  };
}

/** A fresh authority by the machine's clock, as OpenSSL reads that one, and where it lies. */
export async function createTestAuthority(algorithm: CertificateAlgorithm = 'ML-DSA-65', dual = false) {
  const storage = memoryAuthorityStorage();
  return { storage, authority: await createAuthority(storage, { name: 'QFLARE test', algorithm, dual }, Date.now) };
}
