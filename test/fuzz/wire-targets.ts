import { createNodeDeflate } from '../../src/adapters/deflate-node.ts';
import { createMemorySpool } from '../../src/adapters/spool-memory.ts';
import { codecs } from '../../src/core/compression/index.ts';
import { expandMetrics, expandUpdate } from '../../src/core/intake/expand.ts';
import { openEnvelope } from '../../src/core/intake/open.ts';
import { refusalCodes } from '../../src/core/intake/rejection.ts';
import { type Expectation, verifyEnvelope } from '../../src/core/intake/verify.ts';
import { encodeEnvelope, parseEnvelope, parseHead } from '../../src/core/protocol/envelope.ts';
import { encodePayload } from '../../src/core/protocol/payload.ts';
import { sealEnvelope } from '../../src/core/protocol/seal.ts';
import { createRng, type Rng } from '../../src/core/random/rng.ts';
import { createSimulatedCrypto } from '../../src/simulation/world/simulated-crypto.ts';
import { mutations } from '../protocol/mutate.ts';
import { openedOf } from '../protocol/opened.ts';
import { define, promise } from './target.ts';

// Simulated cryptography: a case costs microseconds. The real suite is attacked in test/protocol/intake.test.ts.
const crypto = createSimulatedCrypto(createRng(1));
const deflate = createNodeDeflate();
const spool = createMemorySpool();
const device = crypto.generateSigningKey();
const roundKey = await crypto.generateRoundKey();
const names = Object.keys(mutations) as (keyof typeof mutations)[];
const ids = Object.keys(codecs) as (keyof typeof codecs)[];
const d = 40;
const shape = { count: d, isNormalised: false };
const address = {
  kind: 'update',
  suite: 1,
  orgId: 'org',
  runId: 'run',
  deviceId: 'd-1',
  round: 3,
  baseModel: new Uint8Array(32).fill(1),
  layout: new Uint8Array(32).fill(2),
} as const;

const drawn = createRng(2);
const vectorOf = () => Float32Array.from({ length: d }, () => drawn.gaussian());
const payloads = ids.map((id) =>
  [vectorOf(), vectorOf()].map((vector) =>
    encodePayload({ claimedExamples: 7 }, codecs[id].encode(vector, deflate, { topShare: 0.3 })),
  ),
);
const metrics = encodePayload({ examples: 10, lossSum: 3, correctCount: 7 }, new Uint8Array());

function seal(id: (typeof ids)[number], payload: Uint8Array): Promise<Uint8Array> {
  const header = { ...address, codec: codecs[id].wireId };
  return sealEnvelope(header, payload, { round: roundKey.publicKey, device }, crypto);
}

const envelopes = await Promise.all(ids.map((id, i) => Promise.all(payloads[i]!.map((payload) => seal(id, payload)))));

function expectationOf(id: (typeof ids)[number]): Expectation {
  return { ...address, codec: codecs[id].wireId, plaintextBytesMax: 8192, publicKey: device.publicKey };
}

/** One or two changes of bytes. */
export function mutateBytes(bytes: Uint8Array, other: Uint8Array, rng: Rng): Uint8Array {
  let changed = bytes;
  for (let i = rng.below(2); i >= 0 && changed.length > 4; i--) {
    changed = mutations[names[rng.below(names.length)]!](changed, other, rng);
  }
  return changed;
}

/** What intake does with an update, from its bytes on. */
async function takeIn(bytes: Uint8Array, id: (typeof ids)[number]): Promise<boolean> {
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok) return refused(parsed.code);
  const again = encodeEnvelope(parsed.value);
  promise(Buffer.compare(again, bytes) === 0, 'an envelope that parses is encoded to other bytes');
  const verified = await verifyEnvelope(parsed.value, expectationOf(id), crypto);
  if (!verified.ok) return refused(verified.code);
  const opened = await openEnvelope(verified.value, (i) => parsed.value.chunks[i]!, { round: roundKey }, crypto);
  if (!opened.ok) return refused(opened.code);
  return checkedUpdate(await expandUpdate(opened.value, shape, { codec: codecs[id], deflate }, await spool.begin(d)));
}

function checkedUpdate(outcome: Awaited<ReturnType<typeof expandUpdate>>): boolean {
  if (!outcome.ok) return refused(outcome.code);
  const { delta, claimedExamples } = outcome.value;
  promise(
    delta.length === d && (delta as Float32Array).every(Number.isFinite),
    'an accepted update is not finite or not d long',
  );
  promise(Number.isSafeInteger(claimedExamples) && claimedExamples >= 0, 'an accepted claim is no count');
  return true;
}

function refused(code: string): false {
  promise(Object.hasOwn(refusalCodes, code), `${code} is not on the list of refusal codes`);
  return false;
}

/** Whatever comes over the wire never throws past intake. */
export const wireTargets = {
  envelope: define({
    weight: 25,
    errors: [],
    make(rng) {
      const i = rng.below(ids.length);
      return { id: ids[i]!, bytes: mutateBytes(envelopes[i]![0]!, envelopes[rng.below(ids.length)]![1]!, rng) };
    },
    read: ({ id, bytes }) => takeIn(bytes, id),
  }),
  /** A hostile client seals and signs what it likes. */
  'sealed-payload': define({
    weight: 15,
    errors: [],
    make(rng) {
      const i = rng.below(ids.length);
      return { id: ids[i]!, payload: mutateBytes(payloads[i]![0]!, payloads[rng.below(ids.length)]![1]!, rng) };
    },
    read: async ({ id, payload }) => takeIn(await seal(id, payload), id),
  }),
  'envelope-head': define({
    weight: 6,
    errors: [],
    make: (rng) => mutateBytes(envelopes[0]![0]!.subarray(0, 4700), envelopes[1]![1]!, rng),
    read(bytes) {
      const head = parseHead(bytes);
      if (!head.ok) return refused(head.code);
      promise(head.value.headBytes <= bytes.length, 'a head ends behind its bytes');
      return true;
    },
  }),
  codec: define({
    weight: 12,
    errors: [],
    make(rng) {
      const i = rng.below(ids.length);
      const body = (index: number) => payloads[i]![index]!.subarray(25);
      return { id: ids[i]!, bytes: mutateBytes(body(0), body(1), rng) };
    },
    read({ id, bytes }) {
      const vector = codecs[id].decode(bytes, d, deflate);
      if (vector === undefined) return false;
      promise(vector.length === d, 'a vector of another length');
      const isCanonical = id === 'float32' && !vector.some(Number.isNaN);
      if (isCanonical)
        promise(Buffer.compare(codecs[id].encode(vector, deflate), bytes) === 0, 'float32 is encoded otherwise');
      return true;
    },
  }),
  metrics: define({
    weight: 4,
    errors: [],
    make: (rng) => mutateBytes(metrics, payloads[0]![0]!, rng),
    async read(payload) {
      const outcome = await expandMetrics(openedOf(payload));
      if (!outcome.ok) return refused(outcome.code);
      const { examples, correctCount, lossSum } = outcome.value;
      promise(
        correctCount <= examples && lossSum >= 0 && lossSum <= 2 ** 80,
        'metrics that make no sense are accepted',
      );
      return true;
    },
  }),
};
