import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createNodeCrypto } from '../adapters/crypto-node.ts';
import { createHttpsTransport } from '../adapters/transport-https.ts';
import { cosign, isSignedBy, parseCheckpoint } from '../core/transparency/checkpoint.ts';
import { type ChannelProfile, clientChannel } from '../core/protocol/channel-profile.ts';
import { signsOnlyAs } from '../core/protocol/purposes.ts';
import { isConsistent } from '../core/transparency/merkle-proof.ts';
import { encodeNote, encodeVerifierKey, type NoteKey } from '../core/transparency/signed-note.ts';
import type { SigningKey } from '../ports/crypto.ts';
import { writeSynced } from '../primitives/synced-file.ts';
import { ifThere } from '../primitives/if-there.ts';

/** The log does not continue what this witness has seen: somebody shows different people different histories. */
export class SplitViewError extends Error {
  override readonly name = 'SplitViewError';
}

/** A witness: it signs a log's tree head when that continues the last one it signed, and never another. */
export type Witness = {
  readonly key: NoteKey;
  readonly verifierKey: string;
  /** Checks the newest tree head of a log and signs it. Gives its size. */
  sign(log: WatchedLog): Promise<number>;
};

/** What a witness signs with: what its log does. */

type WitnessScheme = 'ML-DSA-65' | 'ML-DSA-87';

export type WatchedLog = {
  readonly host: string;
  readonly port: number;
  /** SHA-256 of the server's TLS key. */
  readonly pin: Uint8Array;
  /** Which channel the coordinator speaks; absent: the default. */
  readonly profile?: ChannelProfile | undefined;
  /** `/v1/orgs/…/runs/…`. */
  readonly path: string;
  readonly key: NoteKey;
};

/** Opens a witness's folder, or makes one with a key of a scheme. Its memory of each log is what makes it a witness: keep it. */
export async function openWitness(folder: string, name: string, scheme: WitnessScheme = 'ML-DSA-65'): Promise<Witness> {
  const crypto = createNodeCrypto();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const signer = signsOnlyAs('witness', crypto.importSigningKey(await seedIn(folder, scheme)));
  const key: NoteKey = { name, type: 'cosignature', publicKey: signer.publicKey };
  return { key, verifierKey: encodeVerifierKey(key), sign: (log) => sign({ folder, name, signer }, log) };
}

type Own = { readonly folder: string; readonly name: string; readonly signer: SigningKey };

async function sign({ folder, name, signer }: Own, log: WatchedLog): Promise<number> {
  const crypto = createNodeCrypto();
  const transport = createHttpsTransport({ ...log, ...clientChannel(log.profile ?? 'default') });
  const get = async (path: string) => {
    const { status, body } = await transport.request({ method: 'GET', path: `${log.path}/log/${path}` });
    if (status !== 200) throw new Error(`Cannot read ${path} of the log: status ${status}`);
    return new TextDecoder().decode(body);
  };
  try {
    const checkpoint = parseCheckpoint(await get('checkpoint'));
    if (checkpoint?.head.origin !== log.key.name || !(await isSignedBy(checkpoint, log.key, crypto))) {
      throw new SplitViewError(`The tree head of ${log.key.name} is not signed by its key`);
    }
    const { head } = checkpoint;
    const memory = join(folder, `${crypto.sha256(new TextEncoder().encode(head.origin)).toHex()}.checkpoint`);
    const before = parseCheckpoint((await ifThere(readFile(memory)))?.toString() ?? '');
    if (before !== undefined) {
      const isBehind = head.size < before.head.size;
      const path = isBehind ? '[]' : await get(`consistency?from=${before.head.size}&to=${head.size}`);
      const hashes = isBehind ? [] : (JSON.parse(path) as { hashes: string[] }).hashes;
      const proof = hashes.map((hash) => Uint8Array.fromHex(hash));
      if (isBehind || !isConsistent(before.head, head, proof, crypto.sha256)) {
        throw new SplitViewError(
          `The log ${head.origin} of ${head.size} entries does not continue the ${before.head.size} that this witness has signed`,
        );
      }
    }
    const line = cosign(head, { name, key: signer }, Math.floor(Date.now() / 1000));
    const cosigned = encodeNote({ ...checkpoint.note, signatures: [...checkpoint.note.signatures.slice(0, 1), line] });
    // Remembered before it is told: after a crash this witness must not sign another history.
    await writeSynced(memory, cosigned);
    const path = `${log.path}/log/cosignatures`;
    const { status, body } = await transport.request({ method: 'POST', path, json: { checkpoint: cosigned } });
    if (status !== 200) throw new Error(`The log did not take the signature: ${new TextDecoder().decode(body)}`);
    return head.size;
  } finally {
    transport.close();
  }
}

async function seedIn(folder: string, scheme: WitnessScheme): Promise<Uint8Array> {
  const path = join(folder, 'witness.seed');
  const known = await ifThere(readFile(path));
  if (known !== undefined) return known;
  const seed = createNodeCrypto().generateSigningKey(scheme).exportSeed();
  await writeSynced(path, seed);
  return seed;
}
