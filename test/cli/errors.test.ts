// The errors that people meet: each is one sentence on stderr with what was wished and what is there, and the exit code
// that docs/how-to/run-a-coordinator.md promises.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { takeFileLock } from '../../src/adapters/file-lock.ts';
import { formatLink } from '../../src/client/link.ts';
import { run } from '../../src/cli/main.ts';
import { createHttpsWorld, type HttpsWorld, tlsIdentity } from '../system/https-world.ts';
import { smallPlan } from '../system/world.ts';

const root = mkdtempSync(join(tmpdir(), 'qflare-errors-'));
const at = (name: string) => join(root, name);
const taken = createTcpServer();
const old = createServer({ ecdhCurve: 'X25519MLKEM768', minVersion: 'TLSv1.3', ...tlsIdentity }, (_request, reply) => {
  reply.writeHead(404).end('{}');
});
const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

const table = {
  names: ['a', 'b', 'c', 'd', 'ill'],
  label: { column: 'ill', classes: [['no'], ['yes'], ['so']] },
};
let world: HttpsWorld;
const regression = { kind: 'softmax-regression', inputs: 4, classes: 2 } as const;
let bare: HttpsWorld;
let summed: HttpsWorld;
let used = '';

/** Runs a command in this process; what it says on stderr is taken. */
async function qflare(...argv: string[]): Promise<{ code: number; err: string }> {
  const { write } = process.stderr;
  let err = '';
  process.stderr.write = ((text: string | Uint8Array) => {
    err += typeof text === 'string' ? text : new TextDecoder().decode(text);
    return true;
  }) as typeof process.stderr.write;
  try {
    return { code: await run(argv), err };
  } finally {
    process.stderr.write = write;
  }
}

async function linkTo(world: HttpsWorld): Promise<string> {
  const [invited] = await world.coordinator.enrolment.invite(1);
  return world.linkOf(invited!.token);
}

function linkWith(port: number, pin = tlsIdentity.pin): string {
  return formatLink({ host: '127.0.0.1', port, token: 'x'.repeat(32), pin: Uint8Array.fromHex(pin) });
}

let stateFolders = 0;

const join3 = (link: string, data: string, ...more: string[]) => [
  'join',
  link,
  '--data',
  data,
  '--state',
  at(`state-${(stateFolders += 1)}`),
  ...more,
];

before(async () => {
  world = await createHttpsWorld({ plan: smallPlan({ data: { table } as never }) });
  bare = await createHttpsWorld();
  const newton = { learning: { client: { algorithm: 'newton' } } } as const;
  const sums = { pipeline: [{ rule: 'mean' as const }], codec: 'float32' as const };
  summed = await createHttpsWorld({ plan: smallPlan({ ...newton, model: regression, aggregation: sums }) });
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
  writeFileSync(at('typo.toml'), '[model]\nkind = "mlp"\nlayers = [4, 2]\n[cohrt]\nexpected = 3\n');
  writeFileSync(at('range.toml'), '[model]\nkind = "mlp"\nlayers = [4, 2]\n[cohort]\nexpected = 3\nquorum = 4\n');
  writeFileSync(at('broken.toml'), 'name = \n');
  writeFileSync(at('good.csv'), '1,2,3,4,no\n');
  writeFileSync(at('bad.csv'), '1,2,3,4,no\n1,2,x,4,yes\n');
  writeFileSync(at('file'), '');
  for (const name of ['run', 'torn', 'keyless', 'dataless', 'held']) {
    const plan = at(`${name}.toml`);
    writeFileSync(
      plan,
      `[model]\nkind = "mlp"\nlayers = [4, 2]\n${name === 'dataless' ? '[data]\ntest = "nowhere"\n' : ''}`,
    );
    assert.equal((await qflare('init', at(name), '--plan', plan)).code, 0);
  }
  writeFileSync(at('torn/coordinator.json'), '{"orgId":');
  rmSync(at('keyless/keys/vault.json'));
  cpSync(at('run'), at('dead'), { recursive: true });
  const settings = JSON.parse(readFileSync(at('dead/coordinator.json'), 'utf8'));
  writeFileSync(at('dead/coordinator.json'), JSON.stringify({ ...settings, port: 1, bind: '127.0.0.1' }));
  used = await linkTo(world);
  const first = qflare(...join3(used, at('bad.csv')));
  assert.equal((await first).code, 2);
});
after(async () => {
  taken.close();
  old.close();
  await world.close();
  await bare.close();
  await summed.close();
  rmSync(root, { recursive: true });
});

type Case = readonly [name: string, argv: () => string[] | Promise<string[]>, code: number, sentence: RegExp];

const cases: readonly Case[] = [
  [
    'a mistyped table of a plan',
    () => ['plan', at('typo.toml')],
    2,
    /typo\.toml:\n {2}- cohrt: there is no such setting/,
  ],
  [
    'a value out of range',
    () => ['plan', at('range.toml')],
    2,
    /cohort\.quorum: must be at most cohort\.size \(3\): current value is 4/,
  ],
  ['a plan that is no TOML', () => ['plan', at('broken.toml')], 2, /broken\.toml as it must be TOML: line 1/],
  ['a plan that is not there', () => ['plan', at('none.toml')], 2, /none\.toml as there is no such file/],
  ['a plan that is a folder', () => ['plan', root], 4, /Cannot use .* as it must be a file: it is a folder \(EISDIR\)/],
  ['init from a plan that is not there', () => ['init', at('new'), '--plan', at('none.toml')], 2, /no such file/],
  [
    'init below a file',
    () => ['init', at('file/run')],
    4,
    /file\/run.* as it must be in a folder: part of its path is a file/,
  ],
  [
    'init with a bad organisation',
    () => ['init', at('new'), '--org', 'A B'],
    2,
    /--org must be lower-case .*: current value is "A B"/,
  ],
  ['serve where no coordinator is', () => ['serve', root], 2, /must be a coordinator's folder/],
  ['serve with torn settings', () => ['serve', at('torn')], 4, /torn\/coordinator\.json as it must be JSON/],
  [
    'serve without a key',
    () => ['serve', at('keyless')],
    4,
    /keyless\/keys\/vault\.json as it must exist.*Nothing that was acknowledged is lost/,
  ],
  [
    'serve without the test data',
    () => ['serve', at('dataless')],
    2,
    /dataless\/nowhere as it must hold two IDX files/,
  ],
  [
    'serve on a taken port',
    () => ['serve', at('run'), '--port', String(portOf(taken))],
    3,
    /Cannot listen on port \d+ as it must be free/,
  ],
  [
    'serve on a foreign address',
    () => ['serve', at('run'), '--bind', '192.0.2.1'],
    3,
    /Cannot listen on 192\.0\.2\.1 as --bind must be an address of this machine/,
  ],
  [
    'serve on a port that is no number',
    () => ['serve', at('run'), '--port', '99999'],
    2,
    /must be a number from 0 to 65535/,
  ],
  ['status of a dead coordinator', () => ['status', at('dead')], 3, /is not running: "qflare serve .*" starts it/],
  [
    'a link that was cut',
    () => join3('https://h:1/join#v=1&token=abc', at('good.csv')),
    2,
    /its token must be whole; was the link cut/,
  ],
  [
    'a link of another version',
    () => join3('https://h:1/join#v=2&token=abc', at('good.csv')),
    2,
    /its version \(v\) must be 1: current value is "2"/,
  ],
  ['no link', () => join3('hello', at('good.csv')), 2, /must be https:\/\/HOST:PORT\/join#…: current value is "hello"/],
  [
    'data that is not there',
    () => join3(used, at('none.csv')),
    2,
    /--data .*none\.csv as there must be a file or folder: there is none/,
  ],
  [
    'a wrong token',
    () => join3(linkWith(world.port), at('good.csv')),
    5,
    /This link cannot be used: it is wrong, expired or used already/,
  ],
  ['a used link', () => join3(used, at('good.csv')), 5, /This link cannot be used/],
  [
    'another server',
    () => join3(linkWith(world.port, '00'.repeat(32)), at('good.csv')),
    5,
    /does not hold the key that the link names/,
  ],
  [
    'another protocol version',
    () => join3(linkWith(portOf(old)), at('good.csv')),
    3,
    /must speak version 1 of the protocol: it has no \/v1\/enrol/,
  ],
  [
    'a dead coordinator',
    () => join3(linkWith(1), at('good.csv')),
    3,
    /Cannot reach the coordinator at 127\.0\.0\.1:1: .*ECONNREFUSED/,
  ],
  [
    'a bad cell',
    async () => join3(await linkTo(world), at('bad.csv')),
    2,
    /bad\.csv as column "c" on line 2 must be a number: current value is "x"/,
  ],
  [
    'a CSV file in a run without a table',
    async () => join3(await linkTo(bare), at('good.csv')),
    2,
    /the plan of the run must describe its columns \(data\.table\)/,
  ],
  [
    'a program where the plan wants sums',
    async () => join3(await linkTo(summed), at('good.csv'), '--trainer', 'true'),
    2,
    /Cannot join with --trainer as the plan's algorithm newton must have sums/,
  ],
  ['a folder without data', async () => join3(await linkTo(bare), at('run')), 2, /must hold two IDX files/],
];

for (const [name, argv, code, sentence] of cases) {
  test(`${name}: exit code ${code} and one clear sentence`, async () => {
    const given = await argv();
    const answer = await qflare(...given);
    assert.match(answer.err, sentence);
    assert.equal(answer.code, code, answer.err);
    assert.doesNotMatch(answer.err, /This is a bug|\n {4}at /);
  });
}

test('nothing half-written stays behind a failed command', async () => {
  const parts = readdirSync(root, { recursive: true }).filter((name) => String(name).endsWith('.part'));
  assert.deepEqual(parts, []);
  assert.ok(!readdirSync(root).includes('new'));
});

test('a folder that is served cannot be served again, whatever its pid file says', async () => {
  mkdirSync(at('held/state'), { recursive: true });
  const lock = takeFileLock(at('held/state/serve.lock'));
  writeFileSync(at('held/state/serve.pid'), '1');
  const answer = await qflare('serve', at('held'), '--json');
  assert.equal(answer.code, 4);
  assert.match(answer.err, /no other coordinator may serve it: process 1 does/);
  lock!.release();
});

test('one state folder takes part once at a time', async () => {
  const state = at('state-held');
  mkdirSync(state);
  const lock = takeFileLock(join(state, 'join.lock'));
  const answer = await qflare('join', used, '--data', at('good.csv'), '--state', state);
  assert.equal(answer.code, 5);
  assert.match(answer.err, /state-held as no other process may use it: one does/);
  lock!.release();
});

test('a removed site ends with exit code 5, and says why', async () => {
  const link = await linkTo(bare);
  const trainer = 'node -e 1';
  const joined = qflare(...join3(link, root, '--trainer', trainer, '--json'));
  while (bare.coordinator.connectedClients().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const [device] = bare.coordinator.connectedDevices();
  await bare.coordinator.enrolment.setStatus(device!.deviceId, 'removed');
  const answer = await joined;
  assert.equal(answer.code, 5);
  assert.match(answer.err, /is out of the run: removed by the operator/);
});

test('a clock that is off is said when a site joins, and hinders nothing', async (t) => {
  // The coordinator's HTTP date does not come from Date.now(); the site's clock does.
  const now = Date.now.bind(Date);
  t.mock.method(Date, 'now', () => now() + 3 * 3_600_000);
  const link = await linkTo(world);
  const answer = await qflare(...join3(link, at('bad.csv')));
  assert.equal(answer.code, 2);
  assert.match(
    answer.err,
    /this machine's clock should agree with the coordinator's to 5 minutes: it is 180 minutes ahead of it\. Rounds do not/,
  );
});

test('init leaves out what follows from the rest, and says so as a comment', () => {
  const plan = readFileSync(at('run/plan.toml'), 'utf8');
  assert.match(plan, /^# size = 10$/m);
  assert.match(plan, /^# quorum = 7$/m);
  assert.match(plan, /^expected = 10$/m);
});
