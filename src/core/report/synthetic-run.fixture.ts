import { sha256 } from '@noble/hashes/sha2.js';
import { canonicalBytes } from '../protocol/canonical-json.ts';
import { createRng } from '../random/rng.ts';
import type { ClientEvaluation, ClientVerdict, RoundRecord } from '../round/record.ts';
import type { DemoRecord, RunRecord } from '../round/run-record.ts';

/** A made-up run, for tests only: two attackers, learning curves, one refusal, one absence, one aborted round. */
export function syntheticRun(options: { rounds?: number; clients?: number; seed?: number } = {}): {
  run: RunRecord;
  demo: DemoRecord;
} {
  const { rounds = 20, clients = 10, seed = 1 } = options;
  const rng = createRng(seed);
  const clientIds = Array.from({ length: clients }, (_, i) => `client-${String(i + 1).padStart(2, '0')}`);
  const attackers = [
    { clientId: clientIds[2]!, attack: 'sign-flip' },
    { clientId: clientIds[7]!, attack: 'scaled-sign-flip' },
  ].filter(({ clientId }) => clientId !== undefined);
  const records = Array.from({ length: rounds }, (_, i) => syntheticRound(i + 1, clientIds, { attackers, rng }));
  const plan = {
    name: 'mnist',
    seed,
    rounds: { count: rounds },
    model: { kind: 'mlp', layers: [784, 128, 10] },
    aggregation: { pipeline: [{ rule: 'centered-clipping', f: 2 }], codec: 'float16-zstd' },
    detection: { detector: 'norm-cosine' },
  };
  const run: RunRecord = {
    orgId: 'local',
    runId: 'r-5f2c91ab',
    name: 'mnist',
    status: 'completed',
    reason: null,
    planHash: sha256(canonicalBytes(plan)).toHex(),
    plan,
    rounds: records,
    clientIds,
    flagged: attackers.map(({ clientId }) => clientId),
    tls: { group: 'X25519MLKEM768', protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
    signature: 'ML-DSA-65',
    kem: 'MLKEM768-X25519',
    bytesUp: records.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
    bytesDown: records.reduce((sum, { bytesDown }) => sum + bytesDown, 0),
    seconds: 61.4,
  };
  const completed = records.filter(({ status }) => status === 'completed');
  const curve = (top: number, pace: number) => completed.map((_, i) => top - (top - 0.3) * Math.exp(-pace * (i + 1)));
  const undefended = curve(0.82, 0.12).map((value) => value + 0.04 * (rng.float() - 0.5));
  const demo: DemoRecord = {
    attackers,
    undefended: { accuracy: undefended.at(-1) ?? 0.8, accuracyByRound: undefended },
    centralized: { accuracy: curve(0.965, 0.5).at(-1) ?? 0.96, accuracyByRound: curve(0.965, 0.5) },
    command: 'npm start -- --seed 1 --rounds 20',
  };
  return { run, demo };
}

type World = { readonly attackers: DemoRecord['attackers']; readonly rng: ReturnType<typeof createRng> };

function syntheticRound(round: number, clientIds: readonly string[], { attackers, rng }: World): RoundRecord {
  const isAborted = round === 9;
  const absent = round === 5 ? clientIds.slice(4, 5) : isAborted ? clientIds.slice(3) : [];
  const refused = round === 12 ? [{ clientId: clientIds[5]!, code: 'bad-signature' }] : [];
  const accepted = clientIds.filter((id) => !absent.includes(id) && !refused.some(({ clientId }) => clientId === id));
  const accuracy = 0.955 - 0.5 * Math.exp(-0.28 * round) + 0.004 * rng.gaussian();
  const verdicts = isAborted ? [] : accepted.map((clientId) => syntheticVerdict(clientId, round, { attackers, rng }));
  return {
    round,
    status: isAborted ? 'aborted' : 'completed',
    reason: isAborted
      ? `${accepted.length} of ${clientIds.length} contributions to "update" where the quorum is 7`
      : null,
    participants: clientIds,
    accepted,
    refused,
    modelVersion: isAborted ? null : round,
    modelHash: isAborted ? null : sha256(new TextEncoder().encode(`model ${round}`)).toHex(),
    accuracy: isAborted ? null : accuracy,
    loss: isAborted ? null : 1.6 * Math.exp(-0.25 * round) + 0.16,
    clients: isAborted
      ? null
      : syntheticEvaluation(accuracy - 0.006, 1.7 * Math.exp(-0.24 * round) + 0.18, { clientIds: accepted, rng }),
    withQkd: 0,
    verdicts,
    flagged: verdicts.filter(({ isFlagged }) => isFlagged).map(({ clientId }) => clientId),
    bytesUp: 2_014_233 + rng.below(9000),
    bytesDown: 4_071_950,
    seconds: 2.6 + rng.float(),
  };
}

function syntheticVerdict(clientId: string, round: number, { attackers, rng }: World): ClientVerdict {
  const attack = attackers.find((attacker) => attacker.clientId === clientId)?.attack;
  const norm =
    (1.1 + 1.6 * Math.exp(-0.1 * round)) * Math.exp(0.18 * rng.gaussian()) * (attack === 'scaled-sign-flip' ? 8 : 1);
  const cosine = (attack === undefined ? 0.62 : -0.55) + 0.06 * rng.gaussian();
  const isFalseAlarm = clientId === 'client-05' && round === 14;
  const isFlagged = isFalseAlarm || (attack !== undefined && round !== 2);
  const direction = `points away from the aggregate: cosine ${cosine.toFixed(2)}, where the median is 0.61`;
  const length = `the update is ${(7 + rng.float()).toFixed(1)} times as long as the cohort's median`;
  const reasons = attack === 'scaled-sign-flip' ? [length, direction] : [direction];
  return {
    clientId,
    isFlagged,
    score: isFlagged ? 9.2 : 0.8,
    reasons: isFlagged ? reasons : [],
    norm,
    cosine,
    weight: 0.1,
  };
}

function syntheticEvaluation(
  accuracy: number,
  loss: number,
  { clientIds, rng }: Pick<World, 'rng'> & { clientIds: readonly string[] },
): ClientEvaluation {
  const accuracies = clientIds.map((clientId) => ({
    clientId,
    accuracy: Math.min(1, accuracy + 0.02 * rng.gaussian()),
  }));
  const worst = accuracies.reduce((least, other) => (other.accuracy < least.accuracy ? other : least));
  return {
    reports: clientIds.length,
    examples: 600 * clientIds.length,
    accuracy,
    loss,
    accuracySpread: 0.0187,
    worst,
    byClient: Object.fromEntries(
      accuracies.map(({ clientId, accuracy }) => [clientId, { accuracy, loss, examples: 600 }]),
    ),
  };
}
