// The test types of NIST's ACVP files for ML-KEM and ML-DSA, as functions over a prompt and its expected results: the same
// ones judge the files beside the repository and those that a test makes in the same schema.
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey, decapsulate, encapsulate, sign, verify } from 'node:crypto';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { nativeExpanded } from './expanded-key.ts';

const kems = { 'ML-KEM-512': ml_kem512, 'ML-KEM-768': ml_kem768, 'ML-KEM-1024': ml_kem1024 } as const;
const signers = { 'ML-DSA-44': ml_dsa44, 'ML-DSA-65': ml_dsa65, 'ML-DSA-87': ml_dsa87 } as const;
type KemName = keyof typeof kems;
type SignerName = keyof typeof signers;

type Values = Readonly<Record<string, string | number | boolean | undefined>>;
export type AcvpFile = { readonly testGroups: readonly (Values & { readonly tests: readonly Values[] })[] };
type Case = { readonly group: Values; readonly given: Values; readonly expected: Values };

/** The hashes of FIPS 204's pre-hash variant: Node's name, bytes, and the last arc of the identifier below 2.16.840.1.101.3.4.2. */
const preHashes: Readonly<Record<string, readonly [name: string, bytes: number, arc: number]>> = {
  'SHA2-224': ['sha224', 28, 4],
  'SHA2-256': ['sha256', 32, 1],
  'SHA2-384': ['sha384', 48, 2],
  'SHA2-512': ['sha512', 64, 3],
  'SHA2-512/224': ['sha512-224', 28, 5],
  'SHA2-512/256': ['sha512-256', 32, 6],
  'SHA3-224': ['sha3-224', 28, 7],
  'SHA3-256': ['sha3-256', 32, 8],
  'SHA3-384': ['sha3-384', 48, 9],
  'SHA3-512': ['sha3-512', 64, 10],
  'SHAKE-128': ['shake128', 32, 11],
  'SHAKE-256': ['shake256', 64, 12],
};

const bytes = (hex: Values[string]) => Uint8Array.fromHex(String(hex ?? ''));
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex').toUpperCase();

/** Pairs each prompt with its expected result, by test case. A file without cases, or a case without a result, is a failure. */
export function paired(prompt: AcvpFile, expected: AcvpFile): readonly Case[] {
  const answers = new Map(expected.testGroups.flatMap(({ tests }) => tests.map((one) => [one['tcId'], one] as const)));
  const cases = prompt.testGroups.flatMap((group) =>
    group.tests.map((given) => {
      const answer = answers.get(given['tcId']);
      assert.ok(answer !== undefined, `case ${given['tcId']} has no expected result`);
      return { group, given, expected: answer };
    }),
  );
  assert.ok(cases.length > 0, 'an empty vector file');
  return cases;
}

/** Keys from seeds. Gives the number of cases. */
export function checkKeyGen(cases: readonly Case[]): number {
  for (const { group, given, expected } of cases) {
    const name = group['parameterSet'] as KemName | SignerName;
    const at = `${name}, case ${given['tcId']}`;
    const isKem = name in kems;
    const seed = isKem ? Buffer.concat([bytes(given['d']), bytes(given['z'])]) : bytes(given['seed']);
    const { publicKey, secretKey } = (isKem ? kems[name as KemName] : signers[name as SignerName]).keygen(seed);
    const wanted = isKem ? [expected['ek'], expected['dk']] : [expected['pk'], expected['sk']];
    assert.deepEqual([hex(publicKey), hex(secretKey)], wanted, `noble, ${at}`);
    const native = createPublicKey(nativeSeed(name, seed)).export({ format: 'raw-public' });
    assert.equal(hex(native), wanted[0], `native, ${at}`);
  }
  return cases.length;
}

/** By the mode that a file names: what judges it. */
export const checks = {
  keyGen: checkKeyGen,
  encapDecap: checkEncapDecap,
  sigGen: checkSigGen,
  sigVer: checkSigVer,
} as const;

/** ML-KEM encapsulation, decapsulation with implicit rejection, and the checks of both keys. Gives the number of cases. */
export function checkEncapDecap(cases: readonly Case[]): number {
  for (const { group, given, expected } of cases) {
    const name = group['parameterSet'] as KemName;
    const at = `${name}, case ${given['tcId']}`;
    switch (group['function']) {
      case 'encapsulation': {
        const { cipherText, sharedSecret } = kems[name].encapsulate(bytes(given['ek']), bytes(given['m']));
        assert.deepEqual([hex(cipherText), hex(sharedSecret)], [expected['c'], expected['k']], at);
        break;
      }
      case 'decapsulation': {
        const c = bytes(given['c']);
        // Newer files give keys as seeds too.
        const seed = given['d'] === undefined ? undefined : Buffer.concat([bytes(given['d']), bytes(given['z'])]);
        const dk = seed === undefined ? bytes(given['dk'] ?? group['dk']) : kems[name].keygen(seed).secretKey;
        const own = seed === undefined ? nativeExpanded(name, dk) : nativeSeed(name, seed);
        assert.equal(hex(kems[name].decapsulate(c, dk)), expected['k'], at);
        assert.equal(hex(decapsulate(own, c)), expected['k'], at);
        break;
      }
      case 'encapsulationKeyCheck':
        assert.equal(
          takes(() => encapsulate(nativePublic(name, bytes(given['ek'])))),
          expected['testPassed'],
          at,
        );
        break;
      case 'decapsulationKeyCheck':
        assert.equal(
          takes(() => nativeExpanded(name, bytes(given['dk']))),
          expected['testPassed'],
          at,
        );
        break;
      default:
        assert.fail(`${at}: ${group['function']} is no function that this knows`);
    }
  }
  return cases.length;
}

/** ML-DSA signatures, deterministic and hedged, by every interface of the files. Gives the number of cases. */
export function checkSigGen(cases: readonly Case[]): number {
  for (const { group, given, expected } of cases) {
    const name = group['parameterSet'] as SignerName;
    const scheme = signers[name];
    const seed = given['seed'] === undefined ? undefined : bytes(given['seed']);
    const secretKey = seed === undefined ? bytes(given['sk'] ?? group['sk']) : scheme.keygen(seed).secretKey;
    const { message, externalMu } = toSign(group, given);
    const extraEntropy = group['deterministic'] === true ? (false as const) : bytes(given['rnd']);
    const signature = scheme.internal.sign(message, secretKey, { extraEntropy, externalMu });
    assert.equal(hex(signature), expected['signature'], `${name}, case ${given['tcId']}`);
    if (!isPure(group)) continue;
    // The native implementation draws its own randomness: what it makes holds.
    const context = bytes(given['context']);
    const key = seed === undefined ? nativeExpanded(name, secretKey) : nativeSeed(name, seed);
    const own = sign(null, bytes(given['message']), { key, context });
    assert.ok(scheme.verify(own, bytes(given['message']), scheme.getPublicKey(secretKey), { context }));
  }
  return cases.length;
}

/** ML-DSA verification by every interface of the files. Gives the number of cases. */
export function checkSigVer(cases: readonly Case[]): number {
  for (const { group, given, expected } of cases) {
    const name = group['parameterSet'] as SignerName;
    const [publicKey, signature] = [bytes(given['pk'] ?? group['pk']), bytes(given['signature'])];
    const { message, externalMu } = toSign(group, given);
    const at = `${name}, case ${given['tcId']}`;
    const noble = holds(() => signers[name].internal.verify(signature, message, publicKey, { externalMu }));
    assert.equal(noble, expected['testPassed'], `noble, ${at}`);
    if (!isPure(group)) continue;
    const options = { context: bytes(given['context']) };
    const native = holds(() =>
      verify(null, bytes(given['message']), { key: nativePublic(name, publicKey), ...options }, signature),
    );
    assert.equal(native, expected['testPassed'], `native, ${at}`);
  }
  return cases.length;
}

/** What the internal function of FIPS 204 signs: by interface the message itself, μ, or the message with its separator. */
function toSign(group: Values, given: Values): { readonly message: Uint8Array; readonly externalMu: boolean } {
  if (group['signatureInterface'] !== 'external') {
    const externalMu = group['externalMu'] === true;
    return { message: bytes(given[externalMu ? 'mu' : 'message']), externalMu };
  }
  const [message, context] = [bytes(given['message']), bytes(given['context'])];
  if (isPure(group))
    return { message: Buffer.concat([Buffer.from([0, context.length]), context, message]), externalMu: false };
  const [name, outputLength, arc] = preHashes[String(given['hashAlg'])]!;
  const digest = createHash(name, name.startsWith('shake') ? { outputLength } : {})
    .update(message)
    .digest();
  const oid = Buffer.from([0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc]);
  return { message: Buffer.concat([Buffer.from([1, context.length]), context, oid, digest]), externalMu: false };
}

function isPure(group: Values): boolean {
  return group['signatureInterface'] === 'external' && group['preHash'] === 'pure';
}

function nativePublic(name: KemName | SignerName, raw: Uint8Array) {
  const asymmetricKeyType = name.toLowerCase() as 'ml-dsa-65';
  return createPublicKey({ key: Buffer.from(raw), format: 'raw-public', asymmetricKeyType });
}

function nativeSeed(name: KemName | SignerName, seed: Uint8Array) {
  const asymmetricKeyType = name.toLowerCase() as 'ml-dsa-65';
  return createPrivateKey({ key: Buffer.from(seed), format: 'raw-seed', asymmetricKeyType });
}

function takes(work: () => unknown): boolean {
  return holds(() => {
    work();
    return true;
  });
}

function holds(work: () => boolean): boolean {
  try {
    return work();
  } catch {
    return false;
  }
}
