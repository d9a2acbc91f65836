import type { RunState } from '../../coordinator/state.ts';
import { merkleRoot } from '../../core/protocol/merkle.ts';
import type { RoundRecord } from '../../core/round/record.ts';
import { decodeSafetensors } from '../../core/model/safetensors.ts';
import type { Blobs } from '../../ports/blobs.ts';
import type { Store } from '../../ports/store.ts';
import type { Traffic } from './network.ts';
import type { Violation } from './observed.ts';

/** What became of a world. With simulated cryptography all of it is a function of the scenario. */
export type WorldResult = {
  readonly status: RunState['status'];
  readonly reason: string | null;
  readonly rounds: readonly RoundRecord[];
  /** SHA-256 of the last model's file. */
  readonly modelHash: string;
  /** SHA-256 of the last model's parameters alone: the same wherever the same values were learned. */
  readonly parametersHash: string;
  /** The Merkle root of the journal. */
  readonly journalHash: string;
  readonly journalEntries: number;
  readonly virtualSeconds: number;
  readonly attackers: readonly { readonly clientId: string; readonly attack: string }[];
  readonly crashes: number;
  /** Places at which the coordinator could have been killed. */
  readonly crashPoints: number;
  readonly clientRestarts: number;
  readonly traffic: Readonly<Traffic>;
  readonly violations: readonly Violation[];
};

export async function resultOf(world: {
  readonly run: RunState;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly sha256: (bytes: Uint8Array) => Uint8Array;
  readonly virtualMs: number;
  readonly hostility: ReadonlyMap<string, string>;
  readonly counts: Pick<WorldResult, 'crashes' | 'crashPoints' | 'clientRestarts' | 'traffic'>;
  readonly violations: readonly Violation[];
}): Promise<WorldResult> {
  const { run, store, blobs, sha256, hostility } = world;
  const modelHash = (await store.models()).at(-1)?.hash ?? '';
  const file = await blobs.get(modelHash);
  const rows = await store.journal(0);
  const leaves = rows.map((row) => new TextEncoder().encode(row.text));
  return {
    status: run.status,
    reason: run.reason,
    rounds: run.records,
    modelHash,
    parametersHash: file === undefined ? '' : parametersHash(decodeSafetensors(file).values, sha256),
    journalHash: merkleRoot(leaves, sha256).toHex(),
    journalEntries: rows.length,
    virtualSeconds: world.virtualMs / 1000,
    attackers: [...hostility].map(([clientId, attack]) => ({ clientId, attack })),
    ...world.counts,
    violations: world.violations,
  };
}

/** SHA-256 of parameters as little-endian float32. */
export function parametersHash(parameters: Float32Array, sha256: (bytes: Uint8Array) => Uint8Array): string {
  return sha256(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength)).toHex();
}
