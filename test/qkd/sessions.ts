import assert from 'node:assert/strict';
import type { Rng } from '../../src/core/random/rng.ts';
import { createRng } from '../../src/core/random/rng.ts';
import type { Authenticator } from '../../src/core/qkd/authentication.ts';
import { WEGMAN_CARTER_KEY_BYTES, wegmanCarter } from '../../src/core/qkd/authentication.ts';
import type { CascadeVariant } from '../../src/core/qkd/cascade-plan.ts';
import type { ClassicalChannel } from '../../src/core/qkd/exchange.ts';
import type { Message } from '../../src/core/qkd/messages.ts';
import { MESSAGE_KINDS } from '../../src/core/qkd/messages.ts';
import type { SessionSettings } from '../../src/core/qkd/session.ts';
import type { AbortReason } from '../../src/core/qkd/session-abort.ts';
import type { SimulatedSession, SimulatedSessionInput } from '../../src/core/qkd/simulate-session.ts';
import { simulateSession } from '../../src/core/qkd/simulate-session.ts';

/** Small blocks with a loose ε_sec, so that thousands of sessions run in seconds. Never settings for use. */
const small: SessionSettings = {
  sessionId: 'test',
  pulses: 80_000,
  distanceKm: 0,
  basisProbabilityX: 0.6,
  intensities: [0.6, 0.15, 0],
  intensityProbabilities: [0.4, 0.35, 0.25],
  detectorEfficiency: 0.8,
  darkCountProbability: 1e-6,
  afterPulseProbability: 0,
  misalignment: 0.004,
  attenuationDbPerKm: 0.2,
  epsilonSecrecy: 0.1,
  epsilonCorrectness: 1e-10,
  cascade: 'option-3',
  errorRateMax: 0.08,
};

export const keyOf = (rng: Rng) => Uint8Array.from({ length: WEGMAN_CARTER_KEY_BYTES }, () => rng.uint32() & 255);

function sharedKey(key: Uint8Array): { alice: Authenticator; bob: Authenticator } {
  return { alice: wegmanCarter(key), bob: wegmanCarter(key) };
}

export function runSession(
  seed: number,
  change: Partial<SessionSettings> = {},
  more: Partial<SimulatedSessionInput> = {},
) {
  const rng = createRng(seed);
  return simulateSession({
    settings: { ...small, ...change },
    rng,
    authenticators: sharedKey(keyOf(rng.child('authentication'))),
    ...more,
  });
}

export const reasonsOf = ({ alice, bob }: SimulatedSession) =>
  [alice, bob].map((result) => (result.outcome === 'key' ? 'key' : result.reason));

/** The one law: two keys are equal, and nobody holds a key alone except after a lost farewell. */
export function assertEqualOrAbort(session: SimulatedSession, replay: string): boolean {
  const { alice, bob } = session;
  if (alice.outcome !== 'key' || bob.outcome !== 'key') return false;
  assert.deepEqual(alice.keyBytes, bob.keyBytes, replay);
  assert.deepEqual(alice.nextAuthenticationKey, bob.nextAuthenticationKey, replay);
  assert.ok(alice.keyBytes.length > 0);
  return true;
}

/** What many sessions came to. */
export type Tally = { readonly sessions: number; readonly keys: number; readonly touched: number };

/** Undisturbed sessions over variants, decoys, block sizes and misalignments: equal keys, or a reason that is allowed. */
export function undisturbedSessions(first: number, count: number): Tally {
  const variants: readonly CascadeVariant[] = ['original', 'option-3', 'option-7'];
  const allowed: readonly (AbortReason | 'key')[] = ['key', 'no-secret-key', 'verification-failed', 'peer-aborted'];
  let keys = 0;
  for (let seed = first; seed < first + count; seed++) {
    const rng = createRng(seed).child('settings');
    const oneDecoy = rng.below(4) === 0;
    const change: Partial<SessionSettings> = {
      cascade: variants[rng.below(3)]!,
      pulses: 40_000 + rng.below(80_000),
      misalignment: 0.02 * rng.float(),
      ...(oneDecoy ? { intensities: [0.6, 0.15], intensityProbabilities: [0.5, 0.5], darkCountProbability: 0 } : {}),
    };
    const session = runSession(seed, change);
    if (assertEqualOrAbort(session, `seed ${seed}`)) keys++;
    for (const reason of reasonsOf(session)) assert.ok(allowed.includes(reason), `seed ${seed}: ${reason}`);
  }
  return { sessions: count, keys, touched: 0 };
}

/** One change to one message by someone on the line. */
function tampering(rng: Rng): { channel: ClassicalChannel; hasChanged: () => Message['kind'] | undefined } {
  const target = rng.below(2) === 0 ? rng.below(12) : rng.below(120);
  const targetKind = MESSAGE_KINDS[rng.below(MESSAGE_KINDS.length)]!;
  const byKind = rng.below(3) > 0;
  const action = rng.below(7);
  const seen: Message[] = [];
  let changed: Message['kind'] | undefined;
  const flipped = (bytes: Uint8Array) => {
    const copy = bytes.slice();
    if (copy.length > 0) copy[rng.below(copy.length)]! ^= 1 << rng.below(8);
    return copy;
  };
  return {
    hasChanged: () => changed,
    channel: (_from, message, index) => {
      seen.push(message);
      if (changed !== undefined || (byKind ? message.kind !== targetKind : index !== target)) return message;
      changed = message.kind;
      if (action === 0) return undefined;
      if (action === 1) return { ...message, body: message.body.slice(0, -1) };
      if (action === 2) return { ...message, body: Uint8Array.of(...message.body.slice(0, 1000), 0) };
      if (action === 3) return { ...message, kind: MESSAGE_KINDS[rng.below(MESSAGE_KINDS.length)]! };
      if (action === 4) return seen[rng.below(seen.length)]!;
      if (action === 5 && message.tag !== undefined) return { ...message, tag: flipped(message.tag) };
      return { ...message, body: flipped(message.body) };
    },
  };
}

/** Sessions with somebody on the line: no key, except that the last word can be lost. */
export function tamperedSessions(first: number, count: number): Tally {
  let [keys, touched] = [0, 0];
  for (let seed = first; seed < first + count; seed++) {
    const { channel, hasChanged } = tampering(createRng(seed).child('tampering'));
    let isChanged = false;
    const session = runSession(
      seed,
      { pulses: 60_000 },
      {
        channel: (from, message, index) => {
          const delivered = channel(from, message, index);
          if (delivered === undefined || !sameMessage(delivered, message)) isChanged = true;
          return delivered;
        },
      },
    );
    const both = assertEqualOrAbort(session, `seed ${seed}`);
    if (both) keys++;
    if (hasChanged() === undefined || !isChanged) continue;
    touched++;
    if (hasChanged() === 'done' || hasChanged() === 'abort') continue;
    assert.ok(!both, `seed ${seed}: both keys though ${hasChanged()} was changed`);
    assert.equal(session.alice.outcome, 'aborted', `seed ${seed}: ${hasChanged()}`);
    assert.equal(session.bob.outcome, 'aborted', `seed ${seed}: ${hasChanged()}`);
  }
  return { sessions: count, keys, touched };
}

function sameMessage(a: Message, b: Message): boolean {
  const same = (x?: Uint8Array, y?: Uint8Array) => Buffer.compare(x ?? new Uint8Array(0), y ?? new Uint8Array(0)) === 0;
  return a.kind === b.kind && same(a.body, b.body) && same(a.tag, b.tag);
}
