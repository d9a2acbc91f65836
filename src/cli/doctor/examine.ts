import { access, constants, readFile, stat, statfs } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { type ChannelProfile, channelProfiles, clientChannel } from '../../core/protocol/channel-profile.ts';
import { type PlainSuiteId, suiteDefault, suites } from '../../core/protocol/suite.ts';
import { isServed, pathsOf, readPlan, readSettings } from '../coordinator-folder.ts';

/** What one check found, and what to do when it is not well. */
export type Finding = { readonly name: string; readonly ok: boolean; readonly found: string; readonly mend?: string };

const freeBytesMin = 1 << 30;
/** No clock that works is before the day this was written. */
const earliestMs = Date.UTC(2026, 10, 1);

/** Runs every check; one that throws has failed, and says why. */
export async function examine(folder: string | undefined): Promise<readonly Finding[]> {
  const { profile, suite } = await planned(folder);
  const checks: readonly (readonly [string, () => Promise<Omit<Finding, 'name'>>])[] = [
    ['node', checkNode],
    ['channel', () => checkChannel(profile)],
    ['signature', () => checkCrypto(suite)],
    ['kernels', checkKernels],
    ['clock', () => checkClock(folder)],
    ['disk', () => checkDisk(folder ?? tmpdir())],
    ...(folder === undefined
      ? []
      : ([
          ['plan', () => checkPlan(folder)],
          ['keys', () => checkKeys(folder)],
          ['port', () => checkPort(folder)],
        ] as readonly (readonly [string, () => Promise<Omit<Finding, 'name'>>])[])),
  ];
  const findings: Finding[] = [];
  for (const [name, check] of checks) {
    findings.push({
      name,
      ...(await check().catch((error: unknown) => ({ ok: false, found: (error as Error).message.split('\n')[0]! }))),
    });
  }
  return findings;
}

async function checkNode() {
  const { node, openssl } = process.versions;
  const ok = Number(node.split('.')[0]) >= 26;
  return { ok, found: `Node ${node} with OpenSSL ${openssl}`, mend: 'install Node 26 or later, or run through npm' };
}

/** The channel and suite of the folder's plan; the default ones without a folder, or where the plan cannot be read. */
async function planned(folder: string | undefined): Promise<{ profile: ChannelProfile; suite: PlainSuiteId }> {
  const plan = folder === undefined ? undefined : await readPlan(pathsOf(folder).plan).catch(() => undefined);
  return { profile: plan?.security.profile ?? 'default', suite: plan?.security.suite ?? suiteDefault };
}

/** A handshake on loopback under a profile: what is negotiated is read from the socket. */
async function checkChannel(profile: ChannelProfile) {
  const { createServerIdentity } = await import('../../adapters/tls-identity-x509.ts');
  const { group: wanted, signature } = channelProfiles[profile];
  const identity = await createServerIdentity(['localhost'], Date.now(), signature);
  const { sigalgs } = clientChannel(profile);
  const options = { minVersion: 'TLSv1.3', ecdhCurve: wanted, sigalgs } as const;
  const server = createServer({ ...identity, ...options }, (socket) => socket.end());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  try {
    const group = await new Promise<string>((resolve, reject) => {
      const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
        resolve(`${socket.getProtocol()} ${(socket.getEphemeralKeyInfo() as { name?: string }).name}`);
        socket.end();
      });
      socket.once('error', reject);
    });
    return {
      ok: group === `TLSv1.3 ${wanted}`,
      found: `${group} with ${signature} on loopback (profile ${profile})`,
      mend: 'use a Node with OpenSSL 3.5 or later',
    };
  } finally {
    server.close();
  }
}

async function checkCrypto(suite: PlainSuiteId) {
  const { createNodeCrypto } = await import('../../adapters/crypto-node.ts');
  const { purposes } = await import('../../core/protocol/purposes.ts');
  const crypto = createNodeCrypto();
  const { kem, signature: scheme } = suites[suite];
  const key = crypto.generateSigningKey(scheme);
  const message = crypto.randomBytes(32);
  const signature = key.sign(purposes.envelope, message);
  const isRight = await crypto.verify(key.publicKey, purposes.envelope, message, signature);
  const isOther = await crypto.verify(key.publicKey, purposes.session, message, signature);
  const pair = await crypto.generateRoundKey(kem);
  const sealed = await crypto.seal(pair.publicKey, message);
  const opened = await pair.open(sealed.enc, message);
  const nonce = new Uint8Array(12);
  const text = opened?.open(nonce, sealed.aead.seal(nonce, message));
  const ok = isRight && !isOther && text !== undefined && crypto.isEqual(text, message);
  return {
    ok,
    found: `${scheme} signs and refuses another purpose; ${kem} seals and opens`,
    mend: 'use a Node with OpenSSL 3.5 or later',
  };
}

/** The fast kernels against the plain ones on the same numbers. */
async function checkKernels() {
  const { createWasmCompute } = await import('../../core/vector/wasm.ts');
  const { createReferenceCompute } = await import('../../core/vector/reference.ts');
  const { createRng } = await import('../../core/random/rng.ts');
  const rng = createRng(1);
  const rows = Array.from({ length: 7 }, () => Float32Array.from({ length: 1003 }, rng.gaussian));
  const weights = Float64Array.from({ length: 7 }, rng.float);
  const [fast, plain] = await Promise.all(
    [await createWasmCompute(), createReferenceCompute()].map((compute) =>
      compute.combine(rows, weights, { dots: false }),
    ),
  );
  const error = Math.max(...Array.from(fast!.vector, (value, i) => Math.abs(value - plain!.vector[i]!)));
  return {
    ok: error < 1e-5,
    found: `WebAssembly SIMD agrees with the reference to ${error.toExponential(1)}`,
    mend: 'run "npm run kernels"',
  };
}

async function checkClock(folder: string | undefined) {
  const now = Date.now();
  const newest =
    folder === undefined
      ? 0
      : await stat(pathsOf(folder).settings).then(
          (file) => file.mtimeMs,
          () => 0,
        );
  const ok = now > earliestMs && now > newest - 300_000;
  const found = `${new Date(now).toISOString()}${newest > now ? `, before the last change of the folder` : ''}`;
  return { ok, found, mend: 'set the clock: links expire and people read times by it (rounds do not depend on it)' };
}

async function checkDisk(folder: string) {
  const { bavail, bsize } = await statfs(folder);
  await access(folder, constants.W_OK);
  const free = bavail * bsize;
  return {
    ok: free >= freeBytesMin,
    found: `${(free / 1e9).toFixed(1)} GB free in ${folder}`,
    mend: 'make room: a full disk stops the coordinator (nothing acknowledged is lost)',
  };
}

async function checkPlan(folder: string) {
  const plan = await readPlan(pathsOf(folder).plan);
  return { ok: true, found: `${plan.name}: ${plan.rounds.count} rounds, ${plan.cohort.expected} clients` };
}

async function checkKeys(folder: string) {
  const paths = pathsOf(folder);
  const secrets = [paths.token, paths.vault];
  for (const path of secrets) {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) return { ok: false, found: `${path} can be read by others`, mend: `chmod 600 ${path}` };
  }
  const { openFolderVault } = await import('../folder-vault.ts');
  await (await openFolderVault(paths)).secret('announcement');
  const { pin } = await readSettings(paths);
  const { pinOf } = await import('../../adapters/tls-identity-x509.ts');
  const isSame = pinOf(await readFile(paths.tlsCertificate, 'utf8')) === pin;
  return {
    ok: isSame,
    found: isSame
      ? 'readable by the owner only, and they unlock; the certificate matches the pin in links'
      : 'the certificate is not the one that links name',
    mend: 'restore keys/ from the backup',
  };
}

async function checkPort(folder: string) {
  const { port } = await readSettings(pathsOf(folder));
  if (port === undefined) return { ok: true, found: 'chosen at the first start' };
  const server = createTcpServer();
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    server.once('error', resolve);
    server.listen(port, '127.0.0.1', () => resolve(undefined));
  });
  server.close();
  if (error === undefined) return { ok: true, found: `${port} is free` };
  const isOurs = isServed(pathsOf(folder));
  return {
    ok: isOurs,
    found: isOurs ? `${port} is used by this coordinator` : `${port} is taken (${error.code})`,
    mend: 'start with --port, or end the other program',
  };
}
