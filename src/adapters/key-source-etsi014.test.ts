import 'reflect-metadata';
import assert from 'node:assert/strict';
import { KeyObject, randomBytes, webcrypto } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import * as x509 from '@peculiar/x509';
import type { Entropy } from '../ports/entropy.ts';
import { createNodeEntropy } from './entropy-node.ts';
import { signatureAuthentication } from '../core/qkd/authentication.ts';
import type { KeyPool } from '../core/qkd/key-pool.ts';
import { createKeyPool } from '../core/qkd/key-pool.ts';
import { createSimulatedLink } from '../core/qkd/simulated-link.ts';
import { createRng } from '../core/random/rng.ts';
import { answerKmeRequest } from '../core/qkd/etsi014-rules.ts';
import type { KEY_SOURCE_TLS_PROFILES } from './key-source-etsi014.ts';
import { createEtsi014KeySource, KeySourceError } from './key-source-etsi014.ts';
import { createKmeServer } from './kme-server.ts';
import { createMlDsaTranscriptSigner, generateTranscriptKeys } from './transcript-signer-mldsa.ts';

type Identity = { readonly cert: string; readonly key: string };

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

async function createAuthority(): Promise<{
  ca: string;
  issue: (name: string, uris?: readonly string[]) => Promise<Identity>;
}> {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const caKeys = await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify']);
  const caCert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=test authority',
    ...validity,
    keys: caKeys as CryptoKeyPair,
    signingAlgorithm: EC,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  const issue = async (name: string, uris: readonly string[] = []): Promise<Identity> => {
    const keys = await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify']);
    const cert = await x509.X509CertificateGenerator.create({
      serialNumber: randomBytes(8).toString('hex'),
      subject: `CN=${name}`,
      issuer: caCert.subject,
      ...validity,
      publicKey: keys.publicKey as CryptoKey,
      signingKey: caKeys.privateKey as CryptoKey,
      signingAlgorithm: EC,
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          { type: 'ip', value: '127.0.0.1' },
          ...uris.map((value) => ({ type: 'url' as const, value })),
        ]),
      ],
    });
    const key = KeyObject.from(keys.privateKey as never).export({ type: 'pkcs8', format: 'pem' }) as string;
    return { cert: cert.toString('pem'), key };
  };
  return { ca: caCert.toString('pem'), issue };
}

let authority: Awaited<ReturnType<typeof createAuthority>>;
let server: ReturnType<typeof createKmeServer>;
let url: string;
const open: { close(): void }[] = [];

before(async () => {
  authority = await createAuthority();
  const entropy = createNodeEntropy();
  const pool = createKeyPool({ entropy, capacityBytes: 1 << 16, lowWaterBytes: 0 });
  fillFromSimulatedLink(pool, entropy);
  const kme = {
    pool,
    kmeId: 'kme-a',
    peerKmeId: 'kme-b',
    saeIds: ['alice', 'bob'],
    keySizeBits: 256,
    keySizeBitsMin: 64,
    keySizeBitsMax: 1024,
    keysPerRequestMax: 8,
    keyCountMax: 2048,
    additionalSaesMax: 0,
    extensions: [],
  };
  const identity = await authority.issue('kme-a');
  server = createKmeServer({
    tls: { ...identity, ca: authority.ca },
    saeRule: 'common-name',
    answer: (request) => answerKmeRequest(kme, request),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(async () => {
  for (const source of open) source.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Keys of a simulated link whose first session ML-DSA-65 authenticates; a loose ε_sec keeps its blocks small. */
function fillFromSimulatedLink(pool: KeyPool, entropy: Entropy): void {
  const bootstrap = () => {
    const authenticator = signatureAuthentication(createMlDsaTranscriptSigner(generateTranscriptKeys()));
    return { alice: authenticator, bob: authenticator };
  };
  const settings = {
    pulses: 400_000,
    distanceKm: 0,
    basisProbabilityX: 0.6,
    intensities: [0.6, 0.15, 0],
    intensityProbabilities: [0.4, 0.35, 0.25],
    detectorEfficiency: 0.8,
    darkCountProbability: 1e-6,
    afterPulseProbability: 0,
    misalignment: 0.004,
    attenuationDbPerKm: 0.2,
    epsilonSecrecy: 0.1,
    epsilonCorrectness: 1e-10,
    cascade: 'option-3',
    errorRateMax: 0.08,
  } as const;
  const link = createSimulatedLink({ settings, rng: createRng(1), entropy, pool, bootstrap });
  for (let session = 0; session < 2; session++) assert.equal(link.run().alice.outcome, 'key');
}

async function sourceOf(
  name: string,
  peerSaeId: string,
  profile: keyof typeof KEY_SOURCE_TLS_PROFILES = 'post-quantum',
  issuer = authority,
) {
  const tls = { ...(await issuer.issue(name)), ca: authority.ca };
  const source = createEtsi014KeySource({ url, peerSaeId, profile, tls, timeoutMs: 5000 });
  open.push(source);
  return source;
}

test('two SAEs get the same keys over loopback, each once', async () => {
  const alice = await sourceOf('alice', 'bob');
  const bob = await sourceOf('bob', 'alice');
  const keys = await alice.reserve({ count: 3, sizeBits: 256 });
  const ids = keys.map((key) => key.keyId);
  assert.deepEqual(await bob.collect([ids[2]!, ids[0]!]), [keys[2], keys[0]]);
  await assert.rejects(bob.collect([ids[0]!]), (error: KeySourceError) => error.status === 400);
  assert.deepEqual(await bob.collect([ids[1]!]), [keys[1]]);
});

test('the status shows source, profile and group of each TLS profile', async () => {
  const strong = await (await sourceOf('alice', 'bob')).status();
  assert.equal(strong.source, 'simulated');
  assert.equal(strong.tlsProfile, 'post-quantum');
  assert.equal(strong.tlsGroup, 'X25519MLKEM768');
  assert.equal(strong.keySizeBits, 256);
  const classical = await (await sourceOf('alice', 'bob', 'classical')).status();
  assert.equal(classical.tlsProfile, 'classical');
  assert.notEqual(classical.tlsGroup, 'X25519MLKEM768');
});

test('the SAE is the certificate’s: a stranger, a foreign authority and no certificate get nothing', async () => {
  const mallory = await sourceOf('mallory', 'bob');
  await assert.rejects(mallory.reserve({ count: 1, sizeBits: 256 }), (error: KeySourceError) => error.status === 401);
  const alice = await sourceOf('alice', 'bob');
  const [key] = await alice.reserve({ count: 1, sizeBits: 256 });
  await assert.rejects(alice.collect([key!.keyId]), (error: KeySourceError) => error.status === 401);
  const foreign = await sourceOf('alice', 'bob', 'post-quantum', await createAuthority());
  await assert.rejects(foreign.status());
  const bare = createEtsi014KeySource({ url, peerSaeId: 'bob', profile: 'post-quantum', tls: { ca: authority.ca } });
  open.push(bare);
  await assert.rejects(bare.status());
});

test('under san-uri the URI of the certificate speaks, not its common name; one without a URI is nobody', async () => {
  const seen: (string | undefined)[] = [];
  const named = createKmeServer({
    tls: { ...(await authority.issue('kme-b')), ca: authority.ca },
    saeRule: 'san-uri',
    answer: ({ saeId }) => {
      seen.push(saeId);
      return { status: 401, body: { message: 'SAE is not authorised' } };
    },
  });
  await new Promise<void>((resolve) => named.listen(0, '127.0.0.1', resolve));
  const at = `https://127.0.0.1:${(named.address() as AddressInfo).port}`;
  const asks = async (identity: Identity) => {
    const tls = { ...identity, ca: authority.ca };
    const source = createEtsi014KeySource({ url: at, peerSaeId: 'bob', profile: 'post-quantum', tls, timeoutMs: 5000 });
    await assert.rejects(source.status(), (error: KeySourceError) => error.status === 401);
    source.close();
  };
  await asks(await authority.issue('alice', ['sae:carol']));
  await asks(await authority.issue('alice'));
  await asks(await authority.issue('alice', ['sae:carol', 'sae:dave']));
  assert.deepEqual(seen, ['carol', undefined, undefined]);
  named.closeAllConnections();
  await new Promise((resolve) => named.close(resolve));
});

test('limits reach the client as the error contract; an oversized body is cut off', async () => {
  const alice = await sourceOf('alice', 'bob');
  for (const request of [
    { count: 9, sizeBits: 256 },
    { count: 1, sizeBits: 100 },
    { count: 1, sizeBits: 4096 },
  ]) {
    await assert.rejects(alice.reserve(request), (error: KeySourceError) => error.status === 400);
  }
  await assert.rejects(alice.collect(Array.from({ length: 3000 }, () => crypto.randomUUID())), (error: unknown) => {
    return error instanceof KeySourceError ? error.status === 413 : error instanceof Error;
  });
  assert.equal((await alice.reserve({ count: 1, sizeBits: 256 })).length, 1);
});

test('a key source refuses plain http', () => {
  assert.throws(
    () => createEtsi014KeySource({ url: 'http://127.0.0.1:1', peerSaeId: 'b', profile: 'classical', tls: {} }),
    /must be https/,
  );
});

test('a transcript signature holds for its party and its bytes alone', () => {
  const signer = createMlDsaTranscriptSigner(generateTranscriptKeys());
  const transcript = new Uint8Array(randomBytes(100));
  const signature = signer.sign('alice', transcript);
  assert.ok(signer.verify('alice', transcript, signature));
  assert.ok(!signer.verify('bob', transcript, signature));
  assert.ok(!signer.verify('alice', transcript.slice(1), signature));
  assert.ok(!createMlDsaTranscriptSigner(generateTranscriptKeys()).verify('alice', transcript, signature));
});
