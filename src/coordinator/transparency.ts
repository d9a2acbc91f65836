import { encodeNote, type NoteKey } from '../core/transparency/signed-note.ts';
import { checkpointText, isSignedBy, logKeyOf, originOf, parseCheckpoint } from '../core/transparency/checkpoint.ts';
import { witnessesOf } from '../core/plan/transparency.ts';
import type { SigningKey } from '../ports/crypto.ts';
import type { CoordinatorParts } from './parts.ts';
import type { RunLog } from './run-log.ts';

/** The journal as a transparency log, for whoever wants to check it. */
export type Transparency = {
  /** The key that signs the log's tree heads. */
  readonly logKey: NoteKey;
  /** How many entries the log holds. */
  entries(): number;
  /** The newest signed tree head, or null before there is one. */
  checkpoint(): string | null;
  /** The hashes that lead from an entry to the root of the first `size` entries. */
  inclusionProof(sequence: number, size: number): ProofOfInclusion;
  /** The hashes that show that the log of `to` entries continues that of `from`. */
  consistencyProof(from: number, to: number): ProofOfConsistency;
  /** Takes a witness's signature of the newest checkpoint. Gives whether it was one. */
  takeCosignature(encoded: string): Promise<boolean>;
};

export type ProofOfInclusion = {
  readonly sequence: number;
  readonly size: number;
  readonly leafHash: string;
  readonly hashes: readonly string[];
};
export type ProofOfConsistency = { readonly from: number; readonly to: number; readonly hashes: readonly string[] };

/** The coordinator's keys by what they sign, as SHA-256 of their public halves: what is signed can be held to the log. */
export function fingerprintsOf({ crypto, announcer, proofKeys }: CoordinatorParts) {
  const fingerprint = ({ publicKey }: Pick<SigningKey, 'publicKey'>) => crypto.sha256(publicKey).toHex();
  return {
    root: fingerprint({ publicKey: announcer.rootKey }),
    announcement: fingerprint(announcer.current().key),
    treeHead: fingerprint(proofKeys.treeHead),
    modelCard: fingerprint(proofKeys.modelCard),
    exportList: fingerprint(proofKeys.exportList),
  };
}

export function createTransparency(parts: CoordinatorParts, log: RunLog): Transparency {
  const { crypto, plan, proofKeys } = parts;
  const logKey = logKeyOf(originOf(parts), proofKeys.treeHead.publicKey);
  const witnesses = witnessesOf(plan);
  const hex = (hashes: readonly Uint8Array[]) => hashes.map((hash) => hash.toHex());

  return {
    logKey,
    entries: () => log.tree().size(),
    checkpoint: () => log.snapshot().run.checkpoint,
    inclusionProof(sequence, size) {
      const tree = log.tree();
      const hashes = hex(tree.inclusionProof(sequence, size));
      return { sequence, size, leafHash: tree.leaf(sequence).toHex(), hashes };
    },
    consistencyProof: (from, to) => ({ from, to, hashes: hex(log.tree().consistencyProof(from, to)) }),
    async takeCosignature(encoded) {
      const offered = parseCheckpoint(encoded);
      const newest = parseCheckpoint(log.snapshot().run.checkpoint ?? '');
      if (offered === undefined || newest === undefined || offered.note.text !== newest.note.text) return false;
      for (const witness of witnesses) {
        if (!(await isSignedBy(offered, witness, crypto))) continue;
        const line = offered.note.signatures.find(({ name }) => name === witness.name)!;
        return log.record(({ run }) => {
          const current = parseCheckpoint(run.checkpoint!)!;
          // A round may have closed while the signature was checked; one signature of a witness is enough.
          const isWanted =
            checkpointText(current.head) === offered.note.text &&
            !current.note.signatures.some(({ name }) => name === witness.name);
          if (!isWanted) return { result: current.note.text === offered.note.text };
          const checkpoint = encodeNote({ ...current.note, signatures: [...current.note.signatures, line] });
          return { drafts: [{ kind: 'log.cosigned', data: { witness: witness.name, checkpoint } }], result: true };
        });
      }
      return false;
    },
  };
}
