import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelProfileIds, channelProfiles, clientChannel, describeProfile, profileOf } from './channel-profile.ts';

test('every profile names one group and one signature algorithm, its own; what is classical says so', () => {
  const all = channelProfileIds.map((id) => channelProfiles[id]);
  assert.equal(new Set(all.map(({ group }) => group)).size, all.length);
  assert.equal(new Set(all.map(({ serverSignatures }) => serverSignatures)).size, all.length);
  for (const id of channelProfileIds) {
    const { group, sigalgs } = clientChannel(id);
    assert.ok(![group, sigalgs].some((list) => /[:,]/.test(list)), `${id} offers a choice`);
    assert.equal(channelProfiles[id].isPostQuantum, /MLKEM/.test(group) && sigalgs.startsWith('mldsa'));
    assert.equal(channelProfiles[id].isPostQuantum, !describeProfile(id).includes('CLASSICAL'));
  }
});

test('profileOf() reads the profile of a recorded plan, and nothing else for one', () => {
  assert.match(profileOf({ security: { profile: 'cnsa-style' } })!, /^cnsa-style \(hybrid ML-KEM-1024, ML-DSA-87/);
  for (const other of [null, {}, { security: {} }, { security: { profile: 'toString' } }])
    assert.equal(profileOf(other), null);
});
