// Sites as witnesses of the log: what continues is worked on, what departs is refused, and the proof of it is kept.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createFunctionTrainer } from '../../src/adapters/trainer-function.ts';
import { parseLink } from '../../src/client/link.ts';
import { createLogWatch, type LogDeparture } from '../../src/client/log-watch.ts';
import { manifestOf } from '../../src/core/learning/model-spec.ts';
import { isSignedBy, logKeyOf, parseCheckpoint, signCheckpoint } from '../../src/core/transparency/checkpoint.ts';
import { createMerkleLog } from '../../src/core/transparency/merkle-log.ts';
import { joinRun } from '../../src/node/join-run.ts';
import type { Call } from '../../src/ports/transport.ts';
import { createHttpsWorld } from './https-world.ts';
import { coordinatorKey, crypto, proofKeys, smallPlan } from './world.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-log-watch-'));
after(() => rmSync(root, { recursive: true, force: true }));
const origin = 'qflare/org/run';
const identity = { orgId: 'org', runId: 'run', logKey: proofKeys.treeHead.publicKey.toBase64() };
const utf8 = (text: string) => new TextEncoder().encode(text);

/** A log of so many entries, which says `word` from entry `from` on. */
function logOf(size: number, word = 'entry', from = 0) {
  const tree = createMerkleLog(crypto.sha256);
  for (let i = 0; i < size; i++) tree.append(crypto.sha256(utf8(`${i < from ? 'entry' : word} ${i}`)));
  return tree;
}

/** A watch, and the log that it is shown: what a coordinator says may change from one check to the next. */
function watchOf() {
  let [tree, key, name] = [logOf(3), proofKeys.treeHead, origin];
  let answer: ((path: string) => { status: number; text: string }) | undefined;
  const kept: (string | undefined)[] = [];
  const departures: LogDeparture[] = [];
  const watch = createLogWatch({
    identity,
    crypto,
    transport: {
      async request({ path }: Call) {
        const [, from, to] = /from=(\d+)&to=(\d+)/.exec(path) ?? [];
        const size = tree.size();
        const own = path.endsWith('/log/checkpoint')
          ? signCheckpoint({ origin: name, size, root: tree.root(size) }, key)
          : JSON.stringify({
              hashes: tree.consistencyProof(Number(from), Number(to)).map((hash) => hash.toHex()),
            });
        const { status, text } = answer?.(path) ?? { status: 200, text: own };
        return { status, body: utf8(text) };
      },
    },
    save: async ({ log }) => void kept.push(log),
    keepDeparture: async (found) => void departures.push(found),
  });
  return {
    ...watch,
    kept,
    departures,
    show(next: ReturnType<typeof logOf>, by = proofKeys.treeHead, as = origin) {
      [tree, key, name] = [next, by, as];
    },
    say(next: typeof answer) {
      answer = next;
    },
  };
}

test('a log that grows is followed, and each newer head is kept before the work begins', async () => {
  const site = watchOf();
  for (const [round, size] of [3, 3, 4, 9, 64, 65].entries()) {
    site.show(logOf(size));
    await site.check({ round });
  }
  assert.deepEqual(
    site.kept.map((text) => parseCheckpoint(text!)!.head.size),
    [3, 4, 9, 64, 65],
  );
  assert.deepEqual(site.departures, []);
});

test('every way to depart is refused, whatever came before, and both heads are kept as evidence', async () => {
  const ways: Readonly<Record<string, (site: ReturnType<typeof watchOf>) => void>> = {
    'another history': (site) => site.show(logOf(12, 'other', 4)),
    'another history of the same size': (site) => site.show(logOf(9, 'other', 8)),
    'the log went back': (site) => site.show(logOf(8)),
    'signed by another key': (site) => site.show(logOf(12), coordinatorKey),
    'the log of another run': (site) => site.show(logOf(12), proofKeys.treeHead, 'qflare/org/other'),
    'no head': (site) => site.say(() => ({ status: 404, text: '' })),
    'no text of a head': (site) => site.say(() => ({ status: 200, text: 'x' })),
    'no proof': (site) => {
      site.show(logOf(12));
      site.say((path) => (path.includes('consistency') ? { status: 404, text: '' } : undefined!));
    },
    'a proof of nothing': (site) => {
      site.show(logOf(12));
      site.say((path) => (path.includes('consistency') ? { status: 200, text: '{"hashes":[]}' } : undefined!));
    },
  };
  for (const [way, depart] of Object.entries(ways)) {
    const site = watchOf();
    site.show(logOf(9));
    await site.check({ round: 1 });
    depart(site);
    await assert.rejects(site.check({ round: 2 }), { kind: 'security' }, way);
    assert.equal(site.departures.length, 1, way);
    assert.equal(site.departures[0]!.seen, site.kept[0], way);
    assert.equal(site.kept.length, 1, way);
    // Once refused, always refused: what was seen is not forgotten.
    await assert.rejects(site.check({ round: 3 }), { kind: 'security' }, way);
  }
});

test('a log that stands still while a round was closed is refused; one that stands still within a round is not', async () => {
  const site = watchOf();
  await site.check({ round: 1 });
  site.counted({ round: 1 });
  await site.check({ round: 1 });
  await assert.rejects(site.check({ round: 2 }), /has not grown since round 1/);
  site.show(logOf(5));
  await site.check({ round: 2 });
  await site.check({ round: 3 });
});

test('an answer that may come right later is no departure', async () => {
  const site = watchOf();
  for (const status of [429, 500, 503]) {
    site.say(() => ({ status, text: '' }));
    await assert.rejects(site.check({ round: 1 }), { kind: 'network' });
  }
  site.say(undefined);
  await site.check({ round: 1 });
  assert.deepEqual(site.departures, []);
});

test('qflare join refuses a coordinator whose log departs, leaves the evidence, and goes on when it is told to', async () => {
  const plan = smallPlan({ rounds: { count: 2 }, cohort: { expected: 1, quorum: 1, deadlineSeconds: 86_400 } });
  const [world, other] = [await createHttpsWorld({ plan }), await createHttpsWorld({ plan })];
  const stateFolder = join(root, 'site');
  const [invited] = await world.coordinator.enrolment.invite(1);
  const join1 = (more: Partial<Parameters<typeof joinRun>[0]> = {}) =>
    joinRun({
      link: parseLink(world.linkOf(invited!.token)),
      name: 'site',
      stateFolder,
      unlocking: { kind: 'key-file', bytes: new Uint8Array(32).fill(3) },
      patienceMs: 60_000,
      say: () => {},
      trainerFor: async () =>
        createFunctionTrainer(manifestOf(plan.model), {
          train: () => ({ examples: 1 }),
          evaluate: () => ({ examples: 1, loss: 1, accuracy: 1 }),
        }),
      ...more,
    });
  try {
    await assert.rejects(join1({ trainerFor: () => Promise.reject(new Error('not today')) }), /not today/);
    // What the site saw before is of the same key, and of another history: of the face that was shown to it first.
    await other.coordinator.enrolment.invite(7);
    await other.coordinator.stop('the end of the other face');
    const file = join(stateFolder, 'identity.json');
    const seen = other.coordinator.transparency.checkpoint()!;
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), log: seen }));
    await assert.rejects(join1(), { name: 'TransportError', kind: 'security', message: /log must continue/ });

    const kept = JSON.parse(readFileSync(join(stateFolder, 'log-departure.json'), 'utf8')) as LogDeparture;
    const key = logKeyOf(origin, proofKeys.treeHead.publicKey);
    for (const text of [kept.seen, kept.shown]) assert.ok(await isSignedBy(parseCheckpoint(text!)!, key, crypto));
    assert.deepEqual([kept.round, kept.seen], [1, seen]);

    const outcome = await join1({ acceptRewoundLog: true });
    assert.deepEqual([outcome.end, outcome.contributions], ['completed', 4]);
    const { log } = JSON.parse(readFileSync(file, 'utf8')) as { log: string };
    assert.ok(parseCheckpoint(log)!.head.size > 1);
  } finally {
    await world.close();
    await other.close();
  }
});
