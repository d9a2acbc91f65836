// Every test type of the ACVP files: against the files where they lie beside the repository, and always against small ones
// that are made here in the same schema, of which one answer is then made wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { type AcvpFile, checkEncapDecap, checkKeyGen, checkSigGen, checkSigVer, checks, paired } from './acvp-files.ts';
import { acvpNames, readVectors } from './outside.ts';

const hex = (value: Uint8Array) => Buffer.from(value).toString('hex').toUpperCase();
const counting = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => i + from);

/** What a file holds, whichever way it is kept: prompt and expected results, or both in one projection. */
const found = acvpNames();
test('ACVP files of ML-KEM and ML-DSA beside the repository', {
  skip: found.length === 0 && 'none is there',
}, () => {});
for (const { name, mode, prompt, expected } of found) {
  test(`${name}, every test type of it`, () => {
    const all = paired(readVectors(prompt) as AcvpFile, readVectors(expected) as AcvpFile);
    // Noble signs a hundred times a second: of many signatures the default suite makes a few of each kind.
    const isSampled = mode === 'sigGen' && process.env['QFLARE_DEEP'] === undefined;
    const cases = isSampled ? all.filter(({ given }) => Number(given['tcId']) % 5 === 0) : all;
    assert.equal(checks[mode](cases), cases.length);
    assert.ok(cases.length > 10);
  });
}

/** Files of the schema of ACVP, filled group by group. */
function draft() {
  let tcId = 0;
  const prompt: { tests: object[] }[] = [];
  const expected: { tests: object[] }[] = [];
  return {
    group(head: object, cases: readonly (readonly [given: object, wanted: object])[]) {
      const numbered = cases.map(([given, wanted]) => {
        const id = { tcId: ++tcId };
        return [
          { ...id, ...given },
          { ...id, ...wanted },
        ] as const;
      });
      prompt.push({ testType: 'AFT', ...head, tests: numbered.map(([given]) => given) } as never);
      expected.push({ tests: numbered.map(([, wanted]) => wanted) });
    },
    files: () => [{ testGroups: prompt }, { testGroups: expected }] as unknown as readonly [AcvpFile, AcvpFile],
  };
}

/** The check passes, and does not any more when any one answer of any kind is made wrong. */
function passesAndCanFail(
  [prompt, expected]: readonly [AcvpFile, AcvpFile],
  check: (cases: ReturnType<typeof paired>) => number,
): void {
  const cases = paired(prompt, expected);
  assert.equal(check(cases), cases.length);
  for (const group of new Set(cases.map(({ group }) => group))) {
    const one = cases.find((each) => each.group === group)!;
    const wrong = Object.fromEntries(
      Object.entries(one.expected).map(([name, value]) => [
        name,
        name === 'tcId'
          ? value
          : typeof value === 'boolean'
            ? !value
            : `${String(value).slice(0, -2)}${String(value).endsWith('00') ? '01' : '00'}`,
      ]),
    );
    assert.throws(() => check([{ ...one, expected: wrong }]), assert.AssertionError);
  }
}

test('ACVP schema, key generation: the keys of FIPS 203 and 204 from their seeds', () => {
  const file = draft();
  const [d, z] = [counting(32), counting(32, 50)];
  const kem = ml_kem768.keygen(Buffer.concat([d, z]));
  const signer = ml_dsa65.keygen(d);
  file.group({ parameterSet: 'ML-KEM-768' }, [
    [
      { d: hex(d), z: hex(z) },
      { ek: hex(kem.publicKey), dk: hex(kem.secretKey) },
    ],
  ]);
  file.group({ parameterSet: 'ML-DSA-65' }, [
    [{ seed: hex(d) }, { pk: hex(signer.publicKey), sk: hex(signer.secretKey) }],
  ]);
  passesAndCanFail(file.files(), checkKeyGen);
});

test('ACVP schema, ML-KEM: encapsulation, decapsulation, implicit rejection and both key checks', () => {
  const file = draft();
  for (const [parameterSet, kem] of [
    ['ML-KEM-512', ml_kem512],
    ['ML-KEM-768', ml_kem768],
    ['ML-KEM-1024', ml_kem1024],
  ] as const) {
    const { publicKey, secretKey } = kem.keygen(counting(64));
    const m = counting(32, 7);
    const { cipherText, sharedSecret } = kem.encapsulate(publicKey, m);
    const forged = cipherText.slice();
    forged[3]! ^= 1;
    const [ek, dk] = [hex(publicKey), hex(secretKey)];
    file.group({ parameterSet, function: 'encapsulation' }, [
      [
        { ek, m: hex(m) },
        { c: hex(cipherText), k: hex(sharedSecret) },
      ],
    ]);
    file.group({ parameterSet, function: 'decapsulation' }, [
      [{ dk, c: hex(cipherText) }, { k: hex(sharedSecret) }],
      [{ dk, c: hex(forged) }, { k: hex(kem.decapsulate(forged, secretKey)) }],
    ]);
    const overflowing = `FFFF${ek.slice(4)}`;
    const mismatched = hex(secretKey.map((byte, i) => (i === secretKey.length - 40 ? byte ^ 1 : byte)));
    file.group({ parameterSet, function: 'encapsulationKeyCheck' }, [
      [{ ek }, { testPassed: true }],
      [{ ek: overflowing }, { testPassed: false }],
    ]);
    file.group({ parameterSet, function: 'decapsulationKeyCheck' }, [
      [{ dk }, { testPassed: true }],
      [{ dk: mismatched }, { testPassed: false }],
      [{ dk: dk.slice(2) }, { testPassed: false }],
    ]);
  }
  passesAndCanFail(file.files(), checkEncapDecap);
});

test('ACVP schema, ML-DSA: deterministic and hedged, external pure and pre-hash, internal with message and with μ', () => {
  const [signing, verifying] = [draft(), draft()];
  for (const [parameterSet, scheme] of [
    ['ML-DSA-44', ml_dsa44],
    ['ML-DSA-65', ml_dsa65],
    ['ML-DSA-87', ml_dsa87],
  ] as const) {
    const { publicKey, secretKey } = scheme.keygen(counting(32, 5));
    const [message, context, mu, rnd] = [counting(50), counting(9, 100), counting(64, 3), counting(32, 1)];
    const [sk, pk] = [hex(secretKey), hex(publicKey)];
    // One of both ways is enough for each interface.
    const ways = [
      {
        head: { signatureInterface: 'external', preHash: 'pure' },
        given: { message: hex(message), context: hex(context) },
        deterministic: true,
      },
      {
        head: { signatureInterface: 'external', preHash: 'pure' },
        given: { message: hex(message), context: hex(context) },
        deterministic: false,
      },
      {
        head: { signatureInterface: 'internal', externalMu: false },
        given: { message: hex(message) },
        deterministic: true,
      },
      { head: { signatureInterface: 'internal', externalMu: true }, given: { mu: hex(mu) }, deterministic: false },
    ] as const;
    for (const { head, given, deterministic } of ways) {
      const extraEntropy = deterministic ? (false as const) : rnd;
      const signature =
        head.signatureInterface === 'external'
          ? scheme.sign(message, secretKey, { context, extraEntropy })
          : scheme.internal.sign(head.externalMu ? mu : message, secretKey, {
              extraEntropy,
              externalMu: head.externalMu,
            });
      signing.group({ parameterSet, deterministic, ...head }, [
        [{ sk, ...given, ...(deterministic ? {} : { rnd: hex(rnd) }) }, { signature: hex(signature) }],
      ]);
      const text = hex(signature);
      verifying.group({ parameterSet, ...head }, [
        [{ pk, ...given, signature: text }, { testPassed: true }],
        [
          { pk, ...given, signature: `${text.slice(0, 100)}${text[100] === '0' ? '1' : '0'}${text.slice(101)}` },
          { testPassed: false },
        ],
        [{ pk, ...given, signature: text.slice(0, -2) }, { testPassed: false }],
        [{ pk: hex(scheme.keygen(counting(32, 6)).publicKey), ...given, signature: text }, { testPassed: false }],
      ]);
    }
  }
  passesAndCanFail(signing.files(), checkSigGen);
  passesAndCanFail(verifying.files(), checkSigVer);
});

test('ACVP schema, ML-DSA pre-hash: eight of its twelve hashes, signed by the variant of noble, hold; under another context they do not', async () => {
  const { sha256, sha384, sha512, sha512_256 } = await import('@noble/hashes/sha2.js');
  const { sha3_256, sha3_384, sha3_512, shake256_64 } = await import('@noble/hashes/sha3.js');
  const known = {
    'SHA2-256': sha256,
    'SHA2-384': sha384,
    'SHA2-512': sha512,
    'SHA2-512/256': sha512_256,
    'SHA3-256': sha3_256,
    'SHA3-384': sha3_384,
    'SHA3-512': sha3_512,
    'SHAKE-256': shake256_64,
  };
  const { publicKey, secretKey } = ml_dsa44.keygen(counting(32));
  const [message, context] = [counting(20), counting(3)];
  const file = draft();
  for (const [hashAlg, hash] of Object.entries(known)) {
    const signature = ml_dsa44
      .prehash(hash as typeof sha256)
      .sign(message, secretKey, { context, extraEntropy: false });
    file.group({ parameterSet: 'ML-DSA-44', signatureInterface: 'external', preHash: 'preHash' }, [
      [
        { pk: hex(publicKey), message: hex(message), context: hex(context), hashAlg, signature: hex(signature) },
        { testPassed: true },
      ],
      [
        { pk: hex(publicKey), message: hex(message), context: '', hashAlg, signature: hex(signature) },
        { testPassed: false },
      ],
    ]);
  }
  passesAndCanFail(file.files(), checkSigVer);
});

test('ACVP schema: a file without cases and a case without a result are failures, and so is a test type that is not known', () => {
  assert.throws(() => paired({ testGroups: [] }, { testGroups: [] }), /an empty vector file/);
  const prompt = {
    testGroups: [{ function: 'somethingElse', parameterSet: 'ML-KEM-768', tests: [{ tcId: 1 }] }],
  } as unknown as AcvpFile;
  const answered = { testGroups: [{ tests: [{ tcId: 1 }] }] };
  assert.throws(() => paired(prompt, { testGroups: [] }), /case 1 has no expected result/);
  assert.throws(() => checkEncapDecap(paired(prompt, answered as unknown as AcvpFile)), /no function that this knows/);
});
