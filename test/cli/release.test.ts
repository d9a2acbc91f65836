import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runToEnd } from '../system/processes.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-cli-release-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('release: keygen, sign, verify; a changed file, a changed list and a file outside of the folder are refused', async () => {
  const [name, file, list] = [join(root, 'root'), join(root, 'qflare.tgz'), join(root, 'release.json')];
  const passphrase = join(root, 'passphrase');
  writeFileSync(file, 'the release');
  writeFileSync(passphrase, 'a passphrase\n');
  const made = await runToEnd('release', 'keygen', name, '--passphrase-file', passphrase);
  assert.equal(made.code, 0, made.err);
  assert.equal(statSync(`${name}.key`).mode & 0o777, 0o600);
  assert.match(readFileSync(`${name}.key`, 'utf8'), /ENCRYPTED PRIVATE KEY/);
  const again = await runToEnd('release', 'keygen', name);
  assert.deepEqual([again.code, /never written over/.test(again.err)], [2, true]);

  const signing = ['--key', `${name}.key`, '--dir', root, '--passphrase-file', passphrase, '--out'] as const;
  const signed = await runToEnd('release', 'sign', file, ...signing, list);
  assert.equal(signed.code, 0, signed.err);
  const outside = await runToEnd('release', 'sign', '/etc/hostname', ...signing, join(root, 'other.json'));
  assert.deepEqual([outside.code, /must lie under --dir/.test(outside.err)], [2, true]);
  const verify = () => runToEnd('release', 'verify', list, '--key', `${name}.pub.json`, '--dir', root);
  const good = await verify();
  assert.deepEqual([good.code, good.out], [0, '1 files are as they were signed (slh-dsa)\n']);
  writeFileSync(file, 'another one');
  const changed = await verify();
  assert.deepEqual([changed.code, /it is another/.test(changed.err)], [5, true]);
  writeFileSync(list, readFileSync(list, 'utf8').replace('"bytes":11', '"bytes":12'));
  const forged = await verify();
  assert.deepEqual([forged.code, /must have signed it/.test(forged.err)], [5, true]);
});
