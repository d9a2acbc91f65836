import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findTool } from '../../tools/gates/require-tool.ts';
import { assertHybrid, type Recorded } from './tls-records.ts';
import { wholeRun } from './whole-run.ts';

/** Large, and for this one test: not among the tools that every run of the gates must have. */
const tshark = {
  debian: 'tshark',
  why: 'a whole run is captured on loopback',
  commands: ['tshark'],
  probe: ['--version'],
};

/** Captures a port on loopback; undefined, with what was said, where this user may not. */
async function startCapture(port: number, file: string) {
  const child = spawn('tshark', ['-i', 'lo', '-f', `tcp port ${port}`, '-w', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  const hasBegun = await new Promise<boolean>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('Capture started') || /File: /.test(said)) resolve(true);
    });
    child.once('close', () => resolve(false));
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const end = async () => {
    child.kill('SIGINT');
    await ended;
  };
  return hasBegun ? { end } : said;
}

const fields = (file: string, port: number, filter: string, ...names: readonly string[]): string[][] =>
  execFileSync(
    'tshark',
    ['-r', file, '-d', `tcp.port==${port},tls`, '-Y', filter, '-T', 'fields', ...names.flatMap((name) => ['-e', name])],
    { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] },
  )
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));

/** The bytes of each connection, put together from the packets by their sequence numbers. */
function connectionsOf(file: string, port: number): Recorded[] {
  const streams = new Map<string, { up: Map<number, Buffer>; down: Map<number, Buffer> }>();
  for (const [stream, to, at, payload] of fields(
    file,
    port,
    'tcp.len > 0',
    'tcp.stream',
    'tcp.dstport',
    'tcp.seq',
    'tcp.payload',
  )) {
    const both = streams.get(stream!) ?? { up: new Map(), down: new Map() };
    streams.set(stream!, both);
    (Number(to) === port ? both.up : both.down).set(Number(at), Buffer.from(payload!, 'hex'));
  }
  const joined = (parts: Map<number, Buffer>) =>
    Buffer.concat([...parts].toSorted(([a], [b]) => a - b).map(([, part]) => part));
  return [...streams.values()].map(({ up, down }) => ({ up: joined(up), down: joined(down) }));
}

test('a whole run captured on loopback (tshark): TLS 1.3 with X25519MLKEM768 and nothing else', {
  timeout: 300_000,
}, async (t) => {
  if (findTool(tshark) === undefined) return t.skip(`missing system tool ${tshark.debian}: ${tshark.why}`);
  const folder = mkdtempSync(join(tmpdir(), 'qflare-wire-'));
  const file = join(folder, 'run.pcapng');
  let port = 0;
  let capture: Awaited<ReturnType<typeof startCapture>> | undefined;
  try {
    const { secrets } = await wholeRun('required', async (own) => {
      port = own;
      capture = await startCapture(own, file);
      return own;
    });
    if (typeof capture === 'string') return t.skip(`this user may not capture: ${capture.trim().slice(-200)}`);
    await capture!.end();

    // As Wireshark reads it: every hello has one group and version, and nothing is another protocol.
    const hellos = fields(
      file,
      port,
      'tls.handshake.type == 1 || tls.handshake.type == 2',
      'tls.handshake.type',
      'tls.handshake.extensions.supported_version',
      'tls.handshake.extensions_key_share_group',
    );
    assert.ok(hellos.length >= 2);
    for (const [type, version, group] of hellos) {
      assert.deepEqual([version, Number(group)], ['0x0304', 0x11ec], `hello of type ${type}`);
    }
    assert.deepEqual(fields(file, port, 'http || http2 || json || tls.alert_message', 'frame.number'), []);

    const connections = connectionsOf(file, port);
    connections.forEach(assertHybrid);
    const all = Buffer.concat(connections.flatMap(({ up, down }) => [up, down]));
    t.diagnostic(`${connections.length} connections, ${all.length} bytes, ${hellos.length} hellos`);
    assert.ok(all.length > 50_000, `${all.length}`);
    for (const secret of secrets) assert.equal(all.includes(secret), false, Buffer.from(secret).toString('latin1'));
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
