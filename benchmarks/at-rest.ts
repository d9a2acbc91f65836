// What it costs that a coordinator's files are sealed: processor time of writing a model, of checking it, and of serving
// it once, plain and sealed in turn, the least of the repeats. Usage: node benchmarks/at-rest.ts [--megabytes 1,10,100] [--json]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createFileBlobs } from '../src/adapters/blobs-files.ts';
import { createNodeCrypto } from '../src/adapters/crypto-node.ts';
import { openKeyVault } from '../src/node/key-vault.ts';

const { values: flags } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1,10,100' },
    json: { type: 'boolean', default: false },
  },
});
const scratch = mkdtempSync(join(tmpdir(), 'qflare-bench-at-rest-'));
const crypto = createNodeCrypto();
const partBytes = 1 << 18;

async function* parts(bytes: number): AsyncGenerator<Uint8Array> {
  const part = crypto.randomBytes(1 << 20);
  for (let at = 0; at < bytes; at += part.length) yield part.subarray(0, Math.min(part.length, bytes - at));
}

/** Processor milliseconds, of all threads. */
async function costOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function once(bytes: number, atRest: Parameters<typeof createFileBlobs>[1]) {
  const blobs = createFileBlobs(join(scratch, atRest === undefined ? 'plain' : 'sealed'), atRest);
  let hash = '';
  const write = await costOf(async () => (hash = await blobs.put(parts(bytes))));
  const check = await costOf(() => blobs.check(hash));
  const target = new Uint8Array(partBytes);
  const serve = await costOf(async () => {
    for (let at = 0; at < bytes; at += partBytes)
      await blobs.read(hash, at, target.subarray(0, Math.min(partBytes, bytes - at)));
  });
  await blobs.remove(hash);
  return { write, check, serve };
}

try {
  const { atRest } = await openKeyVault(
    join(scratch, 'keys'),
    { kind: 'key-file', bytes: crypto.randomBytes(32) },
    crypto,
  );
  const rows = [];
  for (const megabytes of flags.megabytes.split(',').map(Number)) {
    const least = { plain: [9e9, 9e9, 9e9], sealed: [9e9, 9e9, 9e9] };
    for (let repeat = 0; repeat < Math.max(3, Math.min(50, 300 / megabytes)); repeat++) {
      for (const [name, how] of [
        ['plain', undefined],
        ['sealed', atRest],
      ] as const) {
        const { write, check, serve } = await once(megabytes * 1e6, how);
        least[name] = [write, check, serve].map((ms, i) => Math.min(ms, least[name][i]!));
      }
    }
    rows.push({ megabytes, ...least });
  }
  const cell = (ms: number) => ms.toFixed(1);
  const table = rows.map(({ megabytes, plain, sealed }) => {
    const pairs = plain.map((ms, i) => `${cell(ms)} → ${cell(sealed[i]!)}`);
    return `| ${megabytes} MB | ${pairs.join(' | ')} |`;
  });
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ rows })}\n`
      : `| model | write, ms plain → sealed | check | serve once |\n| --- | --- | --- | --- |\n${table.join('\n')}\n`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
