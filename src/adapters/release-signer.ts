import {
  releaseBytes,
  releaseContext,
  type ReleaseFile,
  type ReleaseKey,
  type ReleaseSuite,
  releaseSuites,
  type SignedRelease,
} from '../core/protocol/release.ts';
import { generateKeyPairSync, sign, verify } from '../primitives/index.ts';

/** The private keys of a release, PEM, one for each algorithm of the suite, and the public key for those who verify. */
export type ReleaseKeys = { readonly secret: readonly string[]; readonly public: ReleaseKey };

const context = Buffer.from(releaseContext);

/** Fresh keys of a suite; under a passphrase where one is given (PKCS #8, PBES2). */
export function createReleaseKeys(suite: ReleaseSuite, passphrase?: string): ReleaseKeys {
  const pairs = releaseSuites[suite].map((algorithm) => generateKeyPairSync(algorithm as 'ed25519'));
  const sealing = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  return {
    secret: pairs.map(({ privateKey }) => privateKey.export({ type: 'pkcs8', format: 'pem', ...sealing }) as string),
    public: {
      suite,
      keys: pairs.map(({ publicKey }) => publicKey.export({ type: 'spki', format: 'der' }).toString('base64')),
    },
  };
}

/** Signs the files with every key of the suite. */
export function signRelease(
  suite: ReleaseSuite,
  keys: readonly string[],
  files: readonly ReleaseFile[],
  passphrase?: string,
): SignedRelease {
  const bytes = releaseBytes(suite, files);
  const sealed = passphrase === undefined ? {} : { passphrase };
  const signatures = keys.map((key) => sign(null, bytes, { key, context, ...sealed }).toString('base64'));
  return { version: 1, files: [...files], signatures };
}

/** Whether every part of the key's suite has signed these files. One that is missing, doubled or wrong: it has not. */
export function isReleaseSigned({ suite, keys }: ReleaseKey, { files, signatures }: SignedRelease): boolean {
  const algorithms = releaseSuites[suite];
  if (keys.length !== algorithms.length || signatures.length !== algorithms.length) return false;
  if (new Set(files.map(({ path }) => path)).size !== files.length) return false;
  const bytes = releaseBytes(suite, files);
  try {
    return keys.every((text, i) => {
      const key = { key: Buffer.from(text, 'base64'), format: 'der', type: 'spki', context } as const;
      return verify(null, bytes, key, Buffer.from(signatures[i]!, 'base64'));
    });
  } catch {
    // A key that is none, from a file that somebody else made.
    return false;
  }
}
