import { LinkError, parseLink } from '../../src/client/link.ts';
import { decodeRoundSecret, encodeRoundSecret } from '../../src/coordinator/round-secret.ts';
import { parsePipelineText } from '../../src/core/aggregation/pipeline-text.ts';
import { canonicalJson, type Json } from '../../src/core/protocol/canonical-json.ts';
import {
  challengeRequest,
  deviceStatusRequest,
  enrolRequest,
  enrolResponse,
  inviteRequest,
  receipt,
  sessionRequest,
  rotateKeyRequest,
  signedAnnouncement,
  uploadState,
} from '../../src/core/protocol/messages.ts';
import {
  keyContainerSchema,
  keyIdsSchema,
  keyRequestSchema,
  kmeErrorSchema,
  kmeStatusSchema,
} from '../../src/core/qkd/etsi014-messages.ts';
import { readBody } from '../../src/core/qkd/messages.ts';
import { SessionAbort } from '../../src/core/qkd/session-abort.ts';
import { createRng, type Rng } from '../../src/core/random/rng.ts';
import { logKeyOf, parseCheckpoint, signCheckpoint } from '../../src/core/transparency/checkpoint.ts';
import { encodeVerifierKey, parseVerifierKey } from '../../src/core/transparency/signed-note.ts';
import { verifyJournal } from '../../src/core/transparency/verify-journal.ts';
import { createMerkleLog } from '../../src/core/transparency/merkle-log.ts';
import { leafHash } from '../../src/core/protocol/merkle.ts';
import { createSimulatedCrypto } from '../../src/simulation/world/simulated-crypto.ts';
import { mutateJson, mutateText } from './mutate-json.ts';
import { define, promise } from './target.ts';
import { mutateBytes } from './wire-targets.ts';

const crypto = createSimulatedCrypto(createRng(1));
const key = crypto.generateSigningKey();
const publicKey = key.publicKey.toBase64();
const signature = new Uint8Array(3309).toBase64();
const challenge = new Uint8Array(32).toBase64();
const hash = 'ab'.repeat(32);
const announcement = {
  version: 1,
  orgId: 'org',
  runId: 'run',
  deviceId: 'd-1',
  state: 'work',
  round: 2,
  counted: 1,
  phaseId: 'train',
  collects: 'update',
  baseModel: hash,
  layout: hash,
  suite: 1,
  codec: 'float32',
  roundKey: '',
};

/** Every message of the HTTP interface, and of ETSI GS QKD 014, with a good example. */
const messages = [
  [signedAnnouncement, { announcement, signature, certificate: { version: 1, publicKey, signature } }],
  [
    rotateKeyRequest,
    { rotation: { version: 1, orgId: 'o', runId: 'r', deviceId: 'd', publicKey }, signature, proof: signature },
  ],
  [enrolRequest, { invitation: publicKey, voucher: signature, name: 'a', publicKey, channel: hash, proof: signature }],
  [
    enrolResponse,
    {
      orgId: 'o',
      runId: 'r',
      deviceId: 'd',
      clientId: 'c',
      status: 'approved',
      coordinatorKey: publicKey,
      logKey: publicKey,
      planHash: hash,
      plan: { a: [1] },
    },
  ],
  [challengeRequest, { deviceId: 'd-1' }],
  [sessionRequest, { deviceId: 'd-1', challenge, proof: signature }],
  [inviteRequest, { count: 3, subject: 'site-1' }],
  [deviceStatusRequest, { status: 'removed' }],
  [receipt, { contentHash: hash, round: 1, phaseId: 'train' }],
  [uploadState, { offset: 10, bytes: 100 }],
  [keyRequestSchema, { number: 1, size: 256 }],
  [keyIdsSchema, { key_IDs: [{ key_ID: 'a' }] }],
  [keyContainerSchema, { keys: [{ key_ID: 'a', key: 'AAAA' }] }],
  [kmeStatusSchema, { source_KME_ID: 'a', target_KME_ID: 'b', key_size: 256, stored_key_count: 3 }],
  [kmeErrorSchema, { message: 'no', details: [{ a: 'b' }] }],
] as const;

const entries = Array.from({ length: 5 }, (_, sequence) =>
  canonicalJson({
    version: 1,
    sequence,
    orgId: 'org',
    runId: 'run',
    round: 1,
    atMs: 5,
    kind: 'round.event',
    data: { x: sequence },
  } as Json),
);
const log = createMerkleLog(crypto.sha256);
const leaves = entries.map((text) => leafHash(new TextEncoder().encode(text), crypto.sha256));
for (const leaf of leaves) log.append(leaf);
const origin = 'qflare/org/run';
const signedHead = signCheckpoint({ origin, size: 5, root: log.root(5) }, key);
const noteKey = logKeyOf(origin, key.publicKey);
const verifierKey = encodeVerifierKey(noteKey);
const bytesOf = (lines: readonly string[]) => new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
const [journalBytes, leavesBytes] = [bytesOf(entries), bytesOf(leaves.map((leaf) => leaf.toHex()))];

const link = `https://127.0.0.1:4433/join#v=1&token=${'t'.repeat(22)}&pin=sha256:${'A'.repeat(43)}`;
const secret = encodeRoundSecret({
  roundKey: new Uint8Array(20).fill(1),
  qkd: new Map([
    ['d-1', { mark: { epoch: 1, keyId: 'k' }, source: 'simulated', epochSecret: new Uint8Array(32), key: null }],
  ]),
} as never);

function readQkdBody(bytes: Uint8Array, rng: Rng): void {
  const body = readBody(bytes);
  const count = rng.below(12);
  const reads = [
    () => body.number(),
    () => body.count(100),
    () => body.numbers(count),
    () => body.words(count),
    () => body.bits(count),
    () => body.bytes(count),
  ];
  for (let i = rng.below(6); i >= 0; i--) reads[rng.below(reads.length)]!();
  body.end();
}

export const messageTargets = {
  messages: define({
    weight: 8,
    errors: [],
    make(rng) {
      const [schema, example] = messages[rng.below(messages.length)]!;
      // As it comes over the line: a text.
      return { schema, text: JSON.stringify(mutateJson(example, rng)) ?? 'null' };
    },
    read({ schema, text }) {
      const parsed = schema.safeParse(JSON.parse(text));
      if (!parsed.success) return false;
      const again = schema.safeParse(JSON.parse(JSON.stringify(parsed.data)));
      promise(
        again.success && JSON.stringify(again.data) === JSON.stringify(parsed.data),
        'a message that is written again is another',
      );
      promise(({} as { polluted?: unknown }).polluted === undefined, 'a prototype was changed');
      return true;
    },
  }),
  journal: define({
    weight: 3,
    errors: [],
    make: (rng) =>
      rng.below(2) === 0
        ? [mutateBytes(journalBytes, leavesBytes, rng), leavesBytes]
        : [journalBytes, mutateBytes(leavesBytes, journalBytes, rng)],
    async read([journal, listed]) {
      const checkpoint = parseCheckpoint(signedHead)!;
      const audit = await verifyJournal(journal!, listed!, { checkpoint, key: noteKey }, crypto);
      const isSame = Buffer.compare(journal!, journalBytes) === 0 && Buffer.compare(listed!, leavesBytes) === 0;
      const { findings } = audit as unknown as { readonly findings: readonly unknown[] };
      promise(isSame === (findings.length === 0), isSame ? 'an intact journal is blamed' : 'a changed journal passes');
      return findings.length === 0;
    },
  }),
  checkpoint: define({
    weight: 2,
    errors: [],
    make: (rng) => mutateText(rng.below(3) === 0 ? verifierKey : signedHead, rng),
    read: (text) => parseCheckpoint(text) !== undefined || parseVerifierKey(text) !== undefined,
  }),
  link: define({
    weight: 2,
    errors: [LinkError],
    make: (rng) => mutateText(link, rng),
    read: (text) => parseLink(text).pin.length === 32,
  }),
  'round-secret': define({
    weight: 2,
    errors: [Error],
    make: (rng) => mutateBytes(secret, journalBytes, rng),
    read(bytes) {
      decodeRoundSecret(bytes);
      return true;
    },
  }),
  'qkd-message': define({
    weight: 2,
    errors: [SessionAbort],
    make: (rng) => ({ bytes: mutateBytes(secret, journalBytes, rng), rng: rng.child('reads') }),
    read({ bytes, rng }) {
      readQkdBody(bytes, rng);
      return true;
    },
  }),
  'pipeline-text': define({
    weight: 2,
    errors: [RangeError],
    make: (rng) => mutateText('clipping(radius=3) > nnm(f=2) > trimmed-mean(f=auto)', rng),
    read: (text) => parsePipelineText(text).length > 0,
  }),
};
