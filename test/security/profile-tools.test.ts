// What operators run beside a coordinator speaks the channel of its plan, whichever it is.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createServerIdentity } from '../../src/adapters/tls-identity-x509.ts';
import { initFolder } from '../../src/cli/commands/init.ts';
import { examine } from '../../src/cli/doctor/examine.ts';
import { channelProfileIds, channelProfiles } from '../../src/core/protocol/channel-profile.ts';
import { suites } from '../../src/core/protocol/suite.ts';
import { findUnlocking } from '../../src/node/unlocking.ts';
import { openWitness } from '../../src/node/witness.ts';
import { runCommand } from '../cli/run-command.ts';
import { createHttpsWorld } from '../system/https-world.ts';
import { smallPlan } from '../system/world.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-profile-tools-'));
after(() => rmSync(root, { recursive: true, force: true }));

for (const profile of channelProfileIds) {
  const { group, signature } = channelProfiles[profile];

  test(`profile ${profile}: doctor shakes hands under it, with the suite of the plan`, async () => {
    const folder = join(root, `doctor-${profile}`);
    const plan = smallPlan({ security: profile === 'cnsa-style' ? { profile } : { profile, suite: 3 } });
    await initFolder(folder, { orgId: 'org', host: '127.0.0.1', plan, unlocking: await findUnlocking(process.env) });
    const findings = await examine(folder);
    const of = (name: string) => findings.find((one) => one.name === name)!;
    assert.deepEqual(
      [of('channel').ok, of('channel').found],
      [true, `TLSv1.3 ${group} with ${signature} on loopback (profile ${profile})`],
    );
    const { kem, signature: scheme } = suites[plan.security.suite];
    assert.equal(of('signature').found, `${scheme} signs and refuses another purpose; ${kem} seals and opens`);
    assert.ok(of('signature').ok && of('keys').ok && of('plan').ok);
  });

  test(`profile ${profile}: a witness signs over its channel, and over no other`, async () => {
    const tls = await createServerIdentity(['127.0.0.1'], Date.now(), signature);
    const witness = await openWitness(
      join(root, `witness-${profile}`),
      'w.example',
      profile === 'cnsa-style' ? 'ML-DSA-87' : 'ML-DSA-65',
    );
    const plan = smallPlan({ security: { profile }, transparency: { witnesses: [witness.verifierKey] } });
    const world = await createHttpsWorld({ plan, tls });
    const pin = Uint8Array.fromHex(tls.pin);
    const log = { host: '127.0.0.1', port: world.port, pin, path: '/v1/orgs/org/runs/run' };
    const key = world.coordinator.transparency.logKey;
    try {
      assert.equal(await witness.sign({ ...log, key, profile }), 1);
      for (const other of channelProfileIds.filter((id) => id !== profile)) {
        await assert.rejects(witness.sign({ ...log, key, profile: other }), /refused the secure channel/);
      }
    } finally {
      await world.close();
    }
  });
}

test('a profile that no release has is refused before anything is sent', () => {
  const log = `https://127.0.0.1:1/v1/orgs/org/runs/run#pin=sha256:${'A'.repeat(43)}&channel=weak`;
  assert.throws(() => runCommand('audit', 'witness', join(root, 'w'), '--log', log), /&channel=PROFILE/);
});
