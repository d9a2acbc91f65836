import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saeIdOf } from './sae-id.ts';

test('common-name: the one CN, whatever else the certificate names', () => {
  const of = (CN: unknown) => saeIdOf('common-name', { subject: { CN }, subjectaltname: 'URI:sae:mallory' });
  assert.equal(of('alice'), 'alice');
  for (const bad of [undefined, '', ['alice', 'bob'], 'alice\nCN=bob', 'alice bob', '../bob', 'a'.repeat(129), 7]) {
    assert.equal(of(bad), undefined, String(bad));
  }
  assert.equal(saeIdOf('common-name', {}), undefined);
});

test('san-uri: the one sae: URI; none, two, quoted and other schemes name nobody, and a CN does not help', () => {
  const of = (subjectaltname?: string) => saeIdOf('san-uri', { subject: { CN: 'alice' }, subjectaltname });
  assert.equal(of('DNS:localhost, URI:sae:bob, IP Address:127.0.0.1'), 'bob');
  const bad = [
    undefined,
    '',
    'DNS:localhost',
    'URI:sae:bob, URI:sae:carol',
    'URI:https://bob',
    'DNS:sae:bob',
    'URI:sae:',
    'URI:sae:b/../c',
    // A DNS name with separators in it, as Node quotes it (CVE-2021-44532).
    'DNS:"localhost, URI:sae:bob, DNS:x"',
  ];
  for (const names of bad) assert.equal(of(names), undefined, String(names));
});
