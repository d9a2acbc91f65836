// A site and a coordinator of two releases: the site ends with one sentence, and nothing is half done.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSystemClock } from '../../src/adapters/clock-system.ts';
import { createNodeEntropy } from '../../src/adapters/entropy-node.ts';
import { createVolatileSiteMemory } from '../../src/adapters/site-memory-volatile.ts';
import { explainFailure } from '../../src/cli/failure.ts';
import { takePart } from '../../src/client/agent.ts';
import { VersionError } from '../../src/client/ends.ts';
import type { Call, StreamEvent, Transport } from '../../src/ports/transport.ts';
import { createHttpsWorld, tlsIdentity } from './https-world.ts';
import { crypto, deflate, fakeTrainer, smallPlan } from './world.ts';

const plan = smallPlan({
  rounds: { count: 1 },
  cohort: { expected: 1, size: 1, quorum: 1, deadlineSeconds: 86_400, absenceGraceSeconds: 86_400 },
  aggregation: { pipeline: [{ rule: 'mean' }] },
});

/** Takes part over a transport that another release would have given; gives how it ended and what was accepted. */
async function endOver(changed: (transport: Transport) => Partial<Transport>) {
  const world = await createHttpsWorld({ plan });
  try {
    const { identity, transport } = await world.enrolSite();
    const ended = await takePart({
      identity,
      saveIdentity: async () => {},
      pin: tlsIdentity.pin,
      transport: { ...transport, ...changed(transport) },
      crypto,
      deflate,
      entropy: createNodeEntropy(),
      trainer: fakeTrainer,
      memory: createVolatileSiteMemory(),
      clock: createSystemClock(),
      patienceMs: 60_000,
      say: () => {},
    }).then(
      () => assert.fail('it took part'),
      (error: unknown) => error,
    );
    const { run } = world.coordinator.snapshot();
    return { ended, accepted: Object.keys(run.round?.accepted ?? {}), models: world.coordinator.snapshot().models };
  } finally {
    await world.close();
  }
}

test('a site that meets an announcement of a newer version ends with a sentence that names both versions', async () => {
  const { ended, accepted, models } = await endOver((transport) => ({
    async *events(call, signal): AsyncGenerator<StreamEvent> {
      for await (const event of transport.events(call, signal)) {
        if (event.event !== 'announcement') {
          yield event;
          continue;
        }
        const message = JSON.parse(event.data) as { announcement: object };
        yield { ...event, data: JSON.stringify({ ...message, announcement: { ...message.announcement, version: 2 } }) };
      }
    },
  }));
  assert.ok(ended instanceof VersionError, String(ended));
  assert.equal(
    ended.message,
    'Cannot take part as the coordinator must speak version 1 of the protocol: its announcement is of version 2; bring both to one release of QFLARE',
  );
  assert.equal(explainFailure(ended).exitCode, 3);
  assert.deepEqual([accepted, models.length], [[], 1]);
});

test('a site whose envelope is of a version that the coordinator does not take is told so, once, and ends', async () => {
  let sent = 0;
  const { ended, accepted } = await endOver((transport) => ({
    request(call: Call) {
      if (call.bytes === undefined || !call.path.endsWith('/contributions')) return transport.request(call);
      sent += 1;
      const bytes = call.bytes.slice();
      // The wire version follows the four bytes of the magic.
      bytes[4] = 9;
      return transport.request({ ...call, bytes });
    },
  }));
  assert.ok(ended instanceof VersionError, String(ended));
  assert.match(
    ended.message,
    /must speak version 1 of the protocol: the envelope is of a wire version that this coordinator does not accept; bring both to one release/,
  );
  assert.deepEqual([sent, accepted], [1, []]);
});
