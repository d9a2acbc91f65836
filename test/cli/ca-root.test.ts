import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { AuthorityState } from '../../src/adapters/authority-x509.ts';
import { createCertificateRequest } from '../../src/adapters/certificate-request.ts';
import { runToEnd } from '../system/processes.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-cli-root-'));
after(() => rmSync(root, { recursive: true, force: true }));
const at = (name: string) => join(root, name);

async function ok(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await runToEnd(...args);
  assert.equal(code, 0, err);
  return out;
}

test('an offline root by hand: keygen, request, sign, anchor, verify; a revoked certificate, an old key and another root end with 5', async () => {
  const folder = at('op');
  await ok('init', folder);
  await ok('ca', 'init', folder);
  writeFileSync(at('pass'), 'correct horse battery\n');
  const sealed = ['--passphrase-file', at('pass')];
  await ok('ca', 'root', 'keygen', at('root'), ...sealed);
  assert.equal(statSync(at('root.key')).mode & 0o777, 0o600);
  assert.match(readFileSync(at('root.key'), 'utf8'), /ENCRYPTED PRIVATE KEY/);
  const again = await runToEnd('ca', 'root', 'keygen', at('root'));
  assert.deepEqual([again.code, /never written over/.test(again.err)], [2, true]);
  await ok('ca', 'anchor', folder, '--request', at('issuing.pem'));
  await ok('ca', 'root', 'sign', at('root'), '--authority', at('issuing.pem'), '--out', at('vouched.pem'), ...sealed);
  const swapped = await runToEnd(
    'ca',
    'anchor',
    folder,
    '--root',
    at('issuing.pem'),
    '--certificate',
    at('vouched.pem'),
  );
  assert.deepEqual([swapped.code, /not under SLH-DSA/.test(swapped.err)], [5, true], swapped.err);
  await ok('ca', 'anchor', folder, '--root', at('root.pem'), '--certificate', at('vouched.pem'));
  assert.match(await ok('ca', 'list', folder), /root {9}SLH-DSA-SHA2-128s, offline; has signed 1/);

  const { request } = await createCertificateRequest('d-1', 'ML-DSA-65');
  writeFileSync(at('request.pem'), request);
  await ok('ca', 'issue', folder, '--request', at('request.pem'), '--device', 'd-1', '--out', at('device.pem'));
  const path = join(folder, 'keys', 'authority.json');
  const state = () => JSON.parse(readFileSync(path, 'utf8')) as AuthorityState;
  const verify = async () => {
    writeFileSync(at('list.pem'), state().lists[0]!.pem);
    const flags = ['--root', at('root.pem'), '--list', at('list.pem'), '--between', at('vouched.pem')];
    return runToEnd('ca', 'verify', at('device.pem'), ...flags);
  };
  const good = await verify();
  assert.equal(good.code, 0, good.err);
  await ok('ca', 'revoke', folder, state().certificates[0]!.serial);
  const revoked = await verify();
  assert.deepEqual([revoked.code, /it was revoked on/.test(revoked.err)], [5, true], revoked.err);

  // Whoever changes the register on the disk gets an authority that does nothing.
  writeFileSync(path, JSON.stringify({ ...state(), anchor: { ...state().anchor, vouched: [] } }));
  const refused = await runToEnd('ca', 'issue', folder, '--request', at('request.pem'), '--device', 'd-1');
  assert.deepEqual([refused.code, /must lead to the offline root/.test(refused.err)], [5, true], refused.err);
});
