import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatLink, LinkError, parseLink } from './link.ts';

const pin = new Uint8Array(32).map((_, i) => i * 7);
const token = 'abcdefghijklmnop_-012345';
const whole = formatLink({ host: 'example.org', port: 8443, token, pin });

test('formatLink() writes the link as the contract has it', () => {
  assert.equal(
    whole,
    `https://example.org:8443/join#v=1&token=${token}&pin=sha256:${Buffer.from(pin).toString('base64url')}`,
  );
});

test('parseLink() gives back what formatLink() wrote: names, IPv4, IPv6, any port, any pin', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.domain(), fc.ipV4(), fc.constantFrom('::1', '2001:db8::7', 'localhost')),
      fc.integer({ min: 1, max: 65_535 }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      (host, port, bytes) => {
        const link = parseLink(formatLink({ host, port, token, pin: bytes }));
        assert.deepEqual(link, { host: host.toLowerCase(), port, token, pin: bytes });
      },
    ),
    { seed: 5, numRuns: 300 },
  );
});

test('a link names the root key before the pin: no cut takes the root alone, and a root in another form is refused', () => {
  const root = pin.toReversed();
  const rooted = formatLink({ host: 'example.org', port: 8443, token, pin, root });
  assert.match(rooted, /&root=sha256:[\w-]{43}&pin=sha256:/);
  assert.deepEqual(parseLink(rooted), { host: 'example.org', port: 8443, token, pin, root });
  for (let length = 0; length < rooted.length; length++) {
    assert.throws(() => parseLink(rooted.slice(0, length)), LinkError, rooted.slice(0, length));
  }
  for (const bad of ['', 'sha512:', 'sha256:short']) {
    assert.throws(() => parseLink(rooted.replace(/&root=[^&]*/, `&root=${bad}`)), LinkError, bad);
  }
});

test('parseLink() takes surrounding space and a link without a port', () => {
  assert.equal(parseLink(`  ${whole}\n`).port, 8443);
  assert.equal(parseLink(whole.replace(':8443', '')).port, 443);
});

test('parseLink() refuses a link that was cut anywhere', () => {
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => parseLink(whole.slice(0, length)), LinkError, whole.slice(0, length));
  }
});

test('parseLink() refuses another scheme, path, version, a missing pin and a pin of another hash', () => {
  const bad = [
    whole.replace('https', 'http'),
    whole.replace('/join', '/other'),
    whole.replace('v=1', 'v=2'),
    whole.replace(/&pin=.*/, ''),
    whole.replace('sha256', 'sha512'),
    whole.replace('#', '?'),
    whole.replace(token, 'short'),
    whole.replace(token, `${token}%20`),
    'not a link',
  ];
  for (const link of bad) assert.throws(() => parseLink(link), LinkError, link);
});
