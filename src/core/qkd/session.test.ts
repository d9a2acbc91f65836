import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertEqualOrAbort,
  keyOf,
  reasonsOf,
  runSession,
  tamperedSessions,
  undisturbedSessions,
} from '../../../test/qkd/sessions.ts';
import { createRng } from '../random/rng.ts';
import { signatureAuthentication, WEGMAN_CARTER_KEY_BYTES, wegmanCarter } from './authentication.ts';
import type { SessionSettings } from './session.ts';
import { drawWithoutReplacement } from './sifting.ts';
import type { SimulatedSessionInput } from './simulate-session.ts';

test('an undisturbed session ends with equal keys, reserves the next authentication first, and adds up', () => {
  const session = runSession(1, { pulses: 200_000 });
  assert.ok(assertEqualOrAbort(session, ''), reasonsOf(session).join());
  assert.equal(session.source, 'simulated');
  assert.equal(session.keyMaterial, 'seeded');
  const { alice, bob } = session;
  assert.ok(alice.outcome === 'key');
  const { keyLength, siftedX, sampledX, counts, disclosedBits, errorRate } = alice.report;
  assert.equal(alice.nextAuthenticationKey.length, WEGMAN_CARTER_KEY_BYTES);
  assert.equal(alice.keyBytes.length, Math.floor((keyLength!.keyLengthBits - 384) / 8));
  assert.equal(
    counts!.detectionsX.reduce((a, b) => a + b, 0),
    siftedX! - sampledX!,
  );
  assert.ok(keyLength!.leakageBits > disclosedBits!);
  assert.ok(Math.abs(errorRate! - 0.004) < 0.003);
  assert.deepEqual(alice.report, bob.report);
});

test('the same seed gives the same session, another seed another key', () => {
  assert.deepEqual(runSession(2, { pulses: 200_000 }), runSession(2, { pulses: 200_000 }));
  const [a, b] = [runSession(2, { pulses: 200_000 }).alice, runSession(3, { pulses: 200_000 }).alice];
  assert.ok(a.outcome === 'key' && b.outcome === 'key');
  assert.notDeepEqual(a.keyBytes.slice(0, 32), b.keyBytes.slice(0, 32));
});

test('a chain: signatures authenticate the first session, its reserve the second, and so on', () => {
  const sign = (by: string, transcript: Uint8Array) =>
    Uint8Array.of(by.length, ...transcript.slice(-8), transcript.length & 255);
  const signer = signatureAuthentication({
    sign,
    verify: (by, transcript, signature) => Buffer.compare(sign(by, transcript), signature) === 0,
  });
  let authenticators = { alice: signer, bob: signer };
  for (let epoch = 0; epoch < 3; epoch++) {
    const session = runSession(10 + epoch, { pulses: 200_000, sessionId: `epoch-${epoch}` }, { authenticators });
    assert.ok(assertEqualOrAbort(session, `epoch ${epoch}`), reasonsOf(session).join());
    assert.ok(session.alice.outcome === 'key' && session.bob.outcome === 'key');
    authenticators = {
      alice: wegmanCarter(session.alice.nextAuthenticationKey),
      bob: wegmanCarter(session.bob.nextAuthenticationKey),
    };
  }
});

test('parties with different authentication keys get no key', () => {
  const rng = createRng(4);
  const strangers = { alice: wegmanCarter(keyOf(rng)), bob: wegmanCarter(keyOf(rng)) };
  assert.deepEqual(reasonsOf(runSession(4, { pulses: 200_000 }, { authenticators: strangers })), [
    'peer-aborted',
    'authentication-failed',
  ]);
});

const isDeep = process.env.QFLARE_DEEP !== undefined;

test('equal keys or abort, over variants, decoys and block sizes', () => {
  const { keys, sessions } = undisturbedSessions(0, 100);
  assert.ok(keys > sessions / 10, `${keys} keys of ${sessions}`);
});

test('a tampered channel yields no key, except that the last word can be lost', () => {
  const { touched, sessions } = tamperedSessions(0, 150);
  assert.ok(touched > sessions / 3, `${touched} of ${sessions}`);
});

test('no key while Eve is at work on the fibre', () => {
  const attacks = [
    { attack: 'intercept-resend', share: 1 },
    { attack: 'intercept-resend', share: 0.4 },
    { attack: 'photon-number-splitting', share: 1 },
    { attack: 'blinding', share: 1 },
  ] as const;
  for (const eve of attacks) {
    for (let seed = 0; seed < (isDeep ? 500 : 5); seed++) {
      const session = runSession(seed, { pulses: 150_000 }, { eve });
      assert.equal(session.alice.outcome, 'aborted', `${eve.attack} ${eve.share} seed ${seed}`);
      assert.equal(session.bob.outcome, 'aborted');
    }
  }
});

test('the reason for an abort names the attack where the statistics can', () => {
  const abort = (change: Partial<SessionSettings>, eve?: SimulatedSessionInput['eve']) =>
    reasonsOf(runSession(1, { pulses: 150_000, ...change }, eve === undefined ? {} : { eve }));
  const dim = { pulses: 1_500_000, detectorEfficiency: 0.08 };
  assert.ok(abort(dim, { attack: 'intercept-resend', share: 1 }).includes('error-rate'));
  assert.ok(abort({}, { attack: 'blinding', share: 1 }).includes('link-alarm'));
  assert.ok(abort({ pulses: 0 }).includes('too-few-detections'));
  assert.ok(abort({ distanceKm: 150, pulses: 2e7 }).includes('no-secret-key'));
});

test('beam splitting takes nothing that the bound had not given away already: the key stands', () => {
  const session = runSession(5, { pulses: 200_000 }, { eve: { attack: 'beam-splitting', share: 1 } });
  assert.ok(assertEqualOrAbort(session, ''), reasonsOf(session).join());
});

test('a tight link at 20 km gives a key at ε_sec = 1e-9 with two decoys', {
  skip: isDeep ? false : 'QFLARE_DEEP',
}, () => {
  const session = runSession(6, {
    pulses: 3e8,
    distanceKm: 20,
    detectorEfficiency: 0.2,
    basisProbabilityX: 0.7,
    epsilonSecrecy: 1e-9,
    epsilonCorrectness: 1e-15,
    intensities: [0.5, 0.1, 2e-4],
  });
  assert.ok(assertEqualOrAbort(session, ''), reasonsOf(session).join());
});

test('drawWithoutReplacement() draws different places, each alike often', () => {
  const hits = new Float64Array(20);
  for (let seed = 0; seed < 4000; seed++) {
    const drawn = drawWithoutReplacement(20, 5, seed);
    assert.equal(drawn.size, 5);
    for (const place of drawn) hits[place]!++;
  }
  // 19 degrees of freedom; the 1e-5 quantile is 56.0 (the variance of draws without replacement is smaller still)
  const chiSquare = hits.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  assert.ok(chiSquare < 56, String(chiSquare));
});
