// What security costs, ratios in one run. Usage: security.ts [--only suites,rounds,…] [--megabytes 0.1,1,10] [--json]
// Handshakes, envelopes, signatures, bytes on the wire, and the overhead of a round with security on and off: the same
// ten clients, loopback, codec, blobs on disk and aggregation, once as QFLARE does it, once over plain HTTP unsealed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import tls from 'node:tls';
import { parseArgs } from 'node:util';
import { createFileBlobs } from '../src/adapters/blobs-files.ts';
import { createNodeCrypto } from '../src/adapters/crypto-node.ts';
import { createNodeDeflate } from '../src/adapters/deflate-node.ts';
import { createKmeAuthority } from '../src/adapters/kme-authority.ts';
import { aggregateCohort } from '../src/core/aggregation/aggregate.ts';
import { createRoom, type Room } from '../src/client/room.ts';
import { codecs } from '../src/core/compression/index.ts';
import type { Dataset } from '../src/core/data/dataset.ts';
import { trainOptionsSchema } from '../src/core/learning/engine.ts';
import { initialParameters, modelSpecSchema } from '../src/core/learning/model-spec.ts';
import { createWasmEngine } from '../src/core/learning/wasm/engine.ts';
import { openEnvelope } from '../src/core/intake/open.ts';
import { verifyEnvelope } from '../src/core/intake/verify.ts';
import { parseEnvelope } from '../src/core/protocol/envelope.ts';
import { createPayloadReader, encodePayload } from '../src/core/protocol/payload.ts';
import { purposes } from '../src/core/protocol/purposes.ts';
import { qkdPreSharedKey } from '../src/core/protocol/qkd-schedule.ts';
import { sealEnvelope } from '../src/core/protocol/seal.ts';
import { plainSuiteIds, suites } from '../src/core/protocol/suite.ts';
import { createRng } from '../src/core/random/rng.ts';
import { createWasmCompute } from '../src/core/vector/wasm.ts';
import { allocator, nodeFlagsOf } from '../tools/tuning.js';

// As the launcher starts every command: each body would be fresh memory, and buffers that are done with would wait for a
// collection of the whole heap.
if (process.env['MALLOC_TRIM_THRESHOLD_'] === undefined) {
  const args = ['--expose-gc', ...nodeFlagsOf('serve'), ...process.execArgv, ...process.argv.slice(1)];
  process.exit(
    spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...allocator } }).status ?? 70,
  );
}

const { only, megabytes: asked } = parseArgs({
  options: {
    only: { type: 'string' },
    /** Sizes of the updates of `rounds`. */
    megabytes: { type: 'string', default: '0.1,1,10' },
    json: { type: 'boolean' },
  },
}).values;
const sizes = asked.split(',').map(Number);
const crypto = createNodeCrypto();
const deflate = createNodeDeflate();
const compute = await createWasmCompute();
const codec = codecs['float16-zstd'];
const device = crypto.generateSigningKey();
const roundKey = await crypto.generateRoundKey();
const hash = new Uint8Array(32);

/** What rounds of one kind have left behind is not the cost of another kind. */
const collectGarbage = (globalThis as { gc?: () => void }).gc ?? (() => {});

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Least processor time of the whole process for one run of the work, in ms. */
async function leastMs(work: () => unknown, { repeats = 40, batch = 1 } = {}): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < repeats; i++) {
    const start = cpuMs();
    for (let j = 0; j < batch; j++) await work();
    least = Math.min(least, (cpuMs() - start) / batch);
  }
  return least;
}

const least = (values: readonly number[]) => Math.min(...values);
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const header = {
  kind: 'update',
  suite: 1,
  codec: codec.wireId,
  orgId: 'org',
  runId: 'run',
  deviceId: 'd-1',
  round: 1,
  baseModel: hash,
  layout: hash,
} as const;
const expected = {
  ...header,
  plaintextBytesMax: 1 << 30,
  publicKey: device.publicKey,
  withQkd: { suite: 2, mark: { epoch: 0, keyId: 'k' } },
} as const;
const mark = { epoch: 0, keyId: 'k' };
const psk = qkdPreSharedKey({ mark, epochSecret: hash, key: hash, deviceId: 'd-1', round: 1 });

// Written to the same memory each time, as an agent does.
const ownRoom = createRoom();
const seal = (payload: Uint8Array, hasQkd = false, room: Room = ownRoom) =>
  sealEnvelope(
    hasQkd ? { ...header, suite: 2, qkd: mark } : header,
    payload,
    { round: roundKey.publicKey, device, psk: hasQkd ? psk : undefined },
    crypto,
    room,
  );

async function open(bytes: Uint8Array): Promise<Uint8Array> {
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok) throw new Error(parsed.detail);
  const verified = await verifyEnvelope(parsed.value, expected, crypto);
  if (!verified.ok) throw new Error(verified.detail);
  const { chunks, header: said } = parsed.value;
  const keys = { round: roundKey, psk: said.qkd && psk };
  const opened = await openEnvelope(verified.value, (i) => chunks[i]!, keys, crypto);
  if (!opened.ok) throw new Error(opened.detail);
  const parts: Uint8Array[] = [];
  for await (const part of opened.value.payload()) {
    if (!part.ok) throw new Error(part.detail);
    parts.push(part.value);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

async function handshakes() {
  const measured: Record<string, { readonly msBothEnds: number; readonly bytes: number }> = {};
  const kinds = [
    ['X25519MLKEM768, mutual ML-DSA-65', 'post-quantum', 'X25519MLKEM768', true],
    ['X25519MLKEM768, server ML-DSA-65', 'post-quantum', 'X25519MLKEM768', false],
    ['P-256, mutual ECDSA (classical)', 'classical', 'P-256', true],
    ['P-256, server ECDSA (classical)', 'classical', 'P-256', false],
  ] as const;
  for (const [name, profile, ecdhCurve, isMutual] of kinds) {
    const authority = await createKmeAuthority(profile, Date.now());
    const [own, peer] = [await authority.issue('server'), await authority.issue('client')];
    const common = { minVersion: 'TLSv1.3', ecdhCurve, ca: authority.ca } as const;
    const server = tls.createServer({ ...common, ...own, requestCert: isMutual, rejectUnauthorized: isMutual });
    server.on('secureConnection', (socket) => socket.on('error', () => {}).end('.'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    let bytes = 0;
    const shake = () =>
      new Promise<void>((resolve, reject) => {
        const raw = net.connect(port, '127.0.0.1');
        const socket = tls.connect({ ...common, ...(isMutual ? peer : {}), socket: raw, servername: 'localhost' });
        socket.on('data', () => {});
        socket.on('error', reject);
        socket.on('end', () => {
          bytes = raw.bytesRead + raw.bytesWritten;
          socket.destroy();
          resolve();
        });
      });
    measured[name] = { msBothEnds: await leastMs(shake, { repeats: 10, batch: 20 }), bytes };
    await new Promise((resolve) => server.close(resolve));
  }
  return measured;
}

async function envelopes() {
  const rows: object[] = [];
  for (const megabytes of [0.1, 1, 4, 10, 40]) {
    const payload = crypto.randomBytes(Math.round(megabytes * 1e6));
    const batch = megabytes <= 1 ? 4 : 1;
    const bytes = (await seal(payload)).slice();
    const sealMs = await leastMs(() => seal(payload), { batch });
    const openMs = await leastMs(() => open(bytes), { batch });
    const withKey = await leastMs(() => seal(payload, true), { batch });
    rows.push({
      megabytes,
      sealMs,
      openMs,
      sealWithQkdMs: withKey,
      sealMegabytesPerSecond: (1000 * megabytes) / sealMs,
      openMegabytesPerSecond: (1000 * megabytes) / openMs,
      overheadBytes: bytes.length - payload.length,
    });
  }
  // The machine's limit for what sealing must do at least: one pass of AES-256-GCM and one of SHA-256.
  const payload = crypto.randomBytes(1 << 20);
  const { createCipheriv } = await import('node:crypto');
  const aesMs = await leastMs(() => createCipheriv('aes-256-gcm', hash, new Uint8Array(12)).update(payload), {
    batch: 50,
  });
  const shaMs = await leastMs(() => createHash('sha256').update(payload).digest(), { batch: 50 });
  return { rows, limitMegabytesPerSecond: 1048.576 / (aesMs + shaMs) };
}

/** What each suite costs beside the bytes of the payload: a signature, an encapsulation, and both at the other end. */
async function suiteCosts() {
  const message = crypto.randomBytes(200);
  const rows: object[] = [];
  for (const id of plainSuiteIds) {
    const { kem, signature: scheme } = suites[id];
    const [signer, round] = [crypto.generateSigningKey(scheme), await crypto.generateRoundKey(kem)];
    const signature = signer.sign(purposes.envelope, message);
    const { enc } = await crypto.seal(round.publicKey, message);
    const batch = { batch: 50, repeats: 15 };
    rows.push({
      suite: id,
      kem,
      signature: scheme,
      signMs: await leastMs(() => signer.sign(purposes.envelope, message), batch),
      verifyMs: await leastMs(() => crypto.verify(signer.publicKey, purposes.envelope, message, signature), batch),
      encapsulateMs: await leastMs(() => crypto.seal(round.publicKey, message), batch),
      decapsulateMs: await leastMs(() => round.open(enc, message), batch),
    });
  }
  return rows;
}

/** One local epoch over a thousand samples of an MLP of about d parameters. */
function training(d: number): () => unknown {
  const hidden = Math.max(1, Math.round(d / 795));
  const spec = modelSpecSchema.parse({ kind: 'mlp', layers: [784, hidden, 10] });
  const rng = createRng(2);
  const count = 1000;
  const data: Dataset = {
    features: Float32Array.from({ length: 784 * count }, () => rng.float()),
    scale: 1,
    labels: Int32Array.from({ length: count }, () => rng.below(10)),
    sampleShape: [784],
    classCount: 10,
  };
  const engine = createWasmEngine();
  const options = trainOptionsSchema.parse({ learningRate: 0.01 });
  const parameters = initialParameters(spec, rng);
  return () => engine.train({ spec, parameters, data, options, rng });
}

/** One round of ten clients, processor time of everybody, with the parts of QFLARE that a round passes. */
async function rounds() {
  const scratch = mkdtempSync(join(tmpdir(), 'qflare-bench-security-'));
  const authority = await createKmeAuthority('post-quantum', Date.now());
  const identity = await authority.issue('server');
  const rooms = Array.from({ length: 10 }, createRoom);
  const rows: object[] = [];
  try {
    for (const megabytes of sizes) {
      const d = Math.round((megabytes * 1e6) / 4);
      const rng = createRng(1);
      const model = Buffer.alloc(4 * d);
      const deltas = rooms.map(() => Float32Array.from({ length: d }, () => 0.01 * rng.gaussian()));
      let roundsDone = 0;
      const round = async (isSecure: boolean): Promise<number> => {
        const blobs = createFileBlobs(join(scratch, String(isSecure)));
        const rowsOf: Float32Array[] = [];
        // Blobs are named by their content: what is the same in two rounds, or of two clients, would be written once.
        const claimedExamples = (roundsDone += 1);
        const take = async (body: Uint8Array) => {
          const payload = isSecure ? await open(body) : body;
          await blobs.put(body, createHash('sha256').update(body).digest('hex'));
          rowsOf.push(codec.decode(createPayloadReader().push(payload)!, d, deflate)!);
        };
        const handler: http.RequestListener = (request, response) => {
          if (request.method === 'GET') {
            response.end(model);
            return;
          }
          const chunks: Buffer[] = [];
          request.on('data', (chunk: Buffer) => chunks.push(chunk));
          request.on('end', () => void take(Buffer.concat(chunks)).then(() => response.writeHead(201).end()));
        };
        const server = isSecure
          ? https.createServer({ ...identity, minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768' }, handler)
          : http.createServer(handler);
        // A busy machine may let a connection rest for longer than Node's five seconds.
        server.keepAliveTimeout = 0;
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as AddressInfo;
        const agents = Array.from({ length: 10 }, () =>
          isSecure
            ? new https.Agent({
                keepAlive: true,
                ca: authority.ca,
                ecdhCurve: 'X25519MLKEM768',
                servername: 'localhost',
              })
            : new http.Agent({ keepAlive: true }),
        );
        const call = (agent: http.Agent, method: string, body?: Uint8Array) =>
          new Promise<void>((resolve, reject) => {
            const made = (isSecure ? https : http).request(
              { port, host: '127.0.0.1', method, agent, headers: body ? { 'content-length': body.length } : {} },
              (response) => response.resume().on('end', resolve),
            );
            made.on('error', reject).end(body);
          });
        // Connections live as long as a run: the handshake is measured by itself.
        for (const agent of agents) await call(agent, 'GET');
        const start = cpuMs();
        await Promise.all(
          agents.map(async (agent, i) => {
            await call(agent, 'GET');
            const payload = encodePayload({ claimedExamples }, codec.encode(deltas[i]!, deflate));
            await call(agent, 'POST', isSecure ? await seal(payload, false, rooms[i]) : payload);
          }),
        );
        const clientIds = rowsOf.map((_, i) => `client-${i}`);
        await aggregateCohort({ rows: rowsOf, clientIds }, [{ rule: 'mean' }] as never, {}, compute);
        const spent = cpuMs() - start;
        for (const agent of agents) agent.destroy();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        return spent;
      };
      // Rounds of a kind follow one another, as in a run: each pays for what it leaves to collect. A forced collection
      // stands before them only, and makes the two after it dearer than they are in a run. In turns: a busy moment of the
      // machine is one of all three.
      const turns: { readonly on: number; readonly off: number; readonly train: number }[] = [];
      const all = { on: [] as number[], off: [] as number[], train: [] as number[] };
      const train = training(d);
      for (let turn = 0; turn < (megabytes > 1 ? 3 : 9); turn++) {
        const spent = { on: [] as number[], off: [] as number[], train: [] as number[] };
        for (const kind of ['off', 'on'] as const) {
          collectGarbage();
          for (let i = -2; i < (megabytes > 1 ? 3 : 7); i++) {
            const ms = await round(kind === 'on');
            if (i >= 0) spent[kind].push(ms);
          }
        }
        for (let i = 0; i < 5; i++) spent.train.push(10 * (await leastMs(train, { repeats: 1 })));
        turns.push({ on: median(spent.on), off: median(spent.off), train: median(spent.train) });
        for (const kind of ['on', 'off', 'train'] as const) all[kind].push(...spent[kind]);
      }
      // A turn is short and what disturbs it disturbs all three; turns differ, so that the median of their ratios is taken.
      const over = (of: (turn: (typeof turns)[number]) => number) => median(turns.map(of));
      const ratio = ({ on, off, train: trainMs }: (typeof turns)[number]) => (on + trainMs) / (off + trainMs) - 1;
      rows.push({
        megabytes,
        onMs: over(({ on }) => on),
        offMs: over(({ off }) => off),
        trainMs: over((turn) => turn.train),
        overheadMsPerClient: over(({ on, off }) => (on - off) / 10),
        overheadWithoutTraining: over(({ on, off }) => on / off - 1),
        overhead: over(ratio),
        overheadOfTurns: turns.map((turn) => Math.round(1000 * ratio(turn)) / 1000).sort((a, b) => a - b),
        overheadOfLeast: (least(all.on) + least(all.train)) / (least(all.off) + least(all.train)) - 1,
      });
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
  return rows;
}

const parts = { handshakes, suites: suiteCosts, envelopes, rounds };
const isAsked = (name: keyof typeof parts) => only === undefined || only.split(',').includes(name);
const report = {
  handshakes: isAsked('handshakes') ? await handshakes() : {},
  suites: isAsked('suites') ? await suiteCosts() : [],
  envelopes: isAsked('envelopes') ? await envelopes() : undefined,
  rounds: isAsked('rounds') ? await rounds() : [],
};

if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  const table = (rows: readonly object[]) => console.table(rows);
  process.stdout.write('Processor time of all ends in this process; the least of repeats.\n\nHandshakes\n');
  table(
    Object.entries(report.handshakes).map(([name, { msBothEnds, bytes }]) => ({
      name,
      msBothEnds: Number(msBothEnds.toFixed(2)),
      perSecondAndCore: Math.round(1000 / msBothEnds),
      bytes,
    })),
  );
  process.stdout.write('\nSuites: HPKE and a signature, and both at the other end\n');
  table(report.suites);
  process.stdout.write(
    `\nEnvelopes (limit of one AES-256-GCM and one SHA-256 pass: ${Math.round(report.envelopes?.limitMegabytesPerSecond ?? 0)} MB/s)\n`,
  );
  table(report.envelopes?.rows ?? []);
  process.stdout.write(
    '\nA round of ten clients: security on and off, with a local epoch over 1,000 samples each and without\n',
  );
  table(report.rounds);
}
