import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ifThere } from './if-there.ts';

test('ifThere() is undefined for a file that is not there, gives what is, and keeps any other failure', async () => {
  assert.equal(await ifThere(readFile(join(tmpdir(), 'qflare-no-such-file'))), undefined);
  assert.ok((await ifThere(readFile(import.meta.filename)))!.length > 0);
  await assert.rejects(ifThere(readFile(tmpdir())), { code: 'EISDIR' });
});
