import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransportError } from '../../src/ports/transport.ts';
import type { JournalEntry } from '../../src/ports/store.ts';
import { createHttpsWorld, type HttpsWorld } from '../system/https-world.ts';
import { createQkdNetwork } from '../system/qkd-link.ts';
import { smallPlan } from '../system/world.ts';
import { until } from '../system/virtual-clock.ts';

/** Opens the event stream of a site that says it has this SAE id; gives its first event and the way to end it. */
async function listen(site: Awaited<ReturnType<HttpsWorld['enrolSite']>>, saeId: string) {
  const end = new AbortController();
  const headers = { 'qflare-sae': saeId };
  const path = '/v1/orgs/org/runs/run/events';
  const events = site.transport.events({ method: 'GET', path, session: await site.session(), headers }, end.signal);
  const iterator = events[Symbol.asyncIterator]();
  return { first: (await iterator.next()).value?.event, end: () => end.abort() };
}

test('two sites that claim one SAE id: the second is refused with a clear sentence, and journaled, until the first has gone', async () => {
  const qkd = createQkdNetwork();
  const plan = smallPlan({ cohort: { expected: 3, quorum: 3 }, security: { qkd: { policy: 'preferred' } } });
  const world = await createHttpsWorld({ plan, qkd: qkd.coordinator });
  const entries: JournalEntry[] = [];
  world.coordinator.onCommit((rows) => entries.push(...rows.map(({ entry }) => entry)));
  try {
    const [a, b] = [await world.enrolSite(), await world.enrolSite()];
    const held = await listen(a, 'sae-0');
    assert.equal(held.first, 'announcement');
    await assert.rejects(listen(b, 'sae-0'), (error: Error) => {
      // A site ends with this sentence: to ask again does not help.
      assert.ok(error instanceof TransportError && error.kind === 'security');
      assert.match(error.message, /Cannot take part as the SAE id sae-0 as each site must have one of its own/);
      return true;
    });
    await until(() => entries.some(({ data }) => data['code'] === 'sae-taken'), 'journaled');
    const { data } = entries.find((entry) => entry.data['code'] === 'sae-taken')!;
    const [deviceId, holder] = [b.identity.deviceId, a.identity.deviceId];
    assert.deepEqual(data, { code: 'sae-taken', deviceId, holder, saeId: 'sae-0' });
    // One of its own is taken; and so is that of a site that has gone.
    const own = await listen(b, 'sae-1');
    assert.equal(own.first, 'announcement');
    held.end();
    await until(() => entries.some(({ kind }) => kind === 'client.disconnected'), 'the first has gone');
    const again = await listen(b, 'sae-0');
    assert.equal(again.first, 'announcement');
    own.end();
    again.end();
  } finally {
    await world.close();
  }
});
