// Individual accounting over real HTTPS: each client hears its own figure, and nobody else does.
import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createVolatileSiteMemory } from '../../src/adapters/site-memory-volatile.ts';
import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import { createSystemClock } from '../../src/adapters/clock-system.ts';
import { takePart } from '../../src/client/agent.ts';
import { runRecordOf } from '../../src/coordinator/run-record.ts';
import { createIndividualAccounts } from '../../src/coordinator/privacy/individual.ts';
import { ownPrivacy } from '../../src/core/protocol/own-privacy.ts';
import { KmsError } from '../../src/ports/kms.ts';
import type { AtRest } from '../../src/ports/at-rest.ts';
import type { Transport } from '../../src/ports/transport.ts';
import { createHttpsWorld, ownerToken, tlsIdentity } from './https-world.ts';
import { createMemoryDisk, crypto, deflate, fakeTrainer, smallPlan } from './world.ts';

const plan = smallPlan({
  rounds: { count: 3 },
  cohort: { expected: 2, quorum: 2 },
  aggregation: {},
  privacy: { mode: 'central', epsilon: 6, delta: 1e-5, replanEvery: 0, reference: 'zero' },
});

function sealing(): AtRest {
  const key = randomBytes(32);
  return {
    seal(_place, plaintext) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    },
    open(_place, sealed) {
      const bytes = Buffer.from(sealed);
      const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
      cipher.setAuthTag(bytes.subarray(-16));
      return Buffer.concat([cipher.update(bytes.subarray(12, -16)), cipher.final()]);
    },
  };
}

/** A trainer whose updates have a norm of their own: the first client's are short. */
const moving = (by: number) => ({
  ...fakeTrainer,
  train: async ({ parameters }: { parameters: Float32Array }) => ({
    parameters: parameters.map((value, k) => value + (k === 0 ? by : 0)),
    examples: 10,
  }),
});

/** A transport that notes everything that comes in on its event stream. */
function watched(transport: Transport, seen: string[]): Transport {
  return {
    ...transport,
    async *events(request, signal) {
      for await (const event of transport.events(request, signal)) {
        seen.push(event.data);
        yield event;
      }
    },
  };
}

test('each client hears its own odometer; journal, record, blobs, owner routes and the other stream hold none of it', async () => {
  const disk = createMemoryDisk();
  const stored: Uint8Array[] = [];
  const put: typeof disk.blobs.put = async (content) => {
    const hash = await disk.blobs.put(content);
    stored.push((await disk.blobs.get(hash))!.slice());
    return hash;
  };
  const blobs = { ...disk.blobs, put };
  const atRest = sealing();
  const world = await createHttpsWorld({ plan, disk: { ...disk, blobs }, parts: { atRest } });
  try {
    const streams: string[][] = [[], []];
    const said: string[][] = [[], []];
    const outcomes = await Promise.all(
      [0.25, 50].map(async (by, i) => {
        const site = await world.enrolSite();
        return takePart({
          identity: site.identity,
          saveIdentity: async () => {},
          pin: tlsIdentity.pin,
          transport: watched(site.transport, streams[i]!),
          crypto,
          deflate,
          entropy: createNodeEntropy(),
          trainer: moving(by),
          memory: createVolatileSiteMemory(),
          clock: createSystemClock(),
          patienceMs: 60_000,
          say: (text) => void said[i]!.push(text),
        });
      }),
    );
    const [small, large] = outcomes.map(({ privacy }) => privacy!);
    assert.ok(small!.individual < 0.5 * small!.odometer, JSON.stringify(small));
    assert.equal(large!.individual, large!.odometer, 'who is clipped pays the worst case');
    assert.deepEqual({ ...small, individual: 0 }, { ...large, individual: 0 }, 'all else is public to both');
    assert.ok(small!.plan <= 6 && small!.plan > 5.9, `${small!.plan}`);

    // Every figure that the first client has heard, as text, is to be found nowhere else.
    const own = streams[0]!.flatMap((data) => {
      const parsed = ownPrivacy.safeParse(JSON.parse(data));
      // Before the first release it is the worst case, which everybody knows.
      const isOwn = parsed.success && parsed.data.individual < parsed.data.odometer;
      return isOwn ? [String(parsed.data.individual)] : [];
    });
    assert.ok(own.length >= 1);
    const owner = world.transport();
    const views = await Promise.all(
      world.routes
        .filter(({ method, role }) => method === 'GET' && role !== 'device')
        .map(async ({ url }) => {
          // Streams do not end: what they would say is the journal, which is looked at by itself.
          if (/journal|:/.test(url)) return '';
          const reply = await owner.request({ method: 'GET', path: url, session: ownerToken });
          return new TextDecoder().decode(reply.body);
        }),
    );
    const snapshot = world.coordinator.snapshot();
    const journal = await world.parts.store.journal(0);
    const record = runRecordOf(snapshot, world.parts, 1);
    const ledger = await world.parts.store.ledger();
    const everywhere = [
      ...views,
      JSON.stringify([journal, record, ledger, [...snapshot.ledger], snapshot.run]),
      ...stored.map((bytes) => Buffer.from(bytes).toString('latin1')),
      streams[1]!.join('\n'),
      said[1]!.join('\n'),
    ];
    for (const figure of own) {
      for (const text of everywhere) assert.ok(!text.includes(figure) && !text.includes(figure.slice(0, 10)), figure);
    }
    assert.ok(!everywhere.slice(0, -2).some((text) => /individual":\d|lossShare|"saved"/.test(text)));

    // What is sealed is read back after a restart; without its key everybody stands at the worst case.
    const clientId = [...snapshot.devices.values()].map((device) => device.clientId).sort()[0]!;
    const again = createIndividualAccounts(world.parts);
    assert.equal(again.own(snapshot, clientId)!.individual, small!.odometer);
    await again.load(snapshot);
    const both = [...snapshot.devices.values()].map((device) => again.own(snapshot, device.clientId)!.individual);
    assert.deepEqual(both.sort(), [small!.individual, large!.individual].sort());
    const locked = createIndividualAccounts({
      ...world.parts,
      atRest: {
        ...atRest,
        open: () => {
          throw new KmsError('the key is gone');
        },
      },
    });
    await locked.load(snapshot);
    assert.equal(locked.own(snapshot, clientId)!.individual, small!.odometer);
    assert.equal(again.own(snapshot, 'nobody'), undefined);
  } finally {
    await world.close();
  }
});
