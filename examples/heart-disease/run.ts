// The whole federation on this machine: `qflare serve` and four `qflare join`, each a process, each hospital on its own
// CSV file. Usage: node examples/heart-disease/run.ts FOLDER [--plan FILE] [--rounds N] [--out DIR] [--json]
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { RunRecord } from '../../src/core/round/run-record.ts';
import { fileOf, hospitals, planPath } from './heart-data.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { plan: { type: 'string' }, rounds: { type: 'string' }, out: { type: 'string' }, json: { type: 'boolean' } },
});
const [data] = positionals;
if (data === undefined) {
  process.stderr.write(
    'Usage: node examples/heart-disease/run.ts FOLDER [--plan FILE] [--rounds N] [--out DIR] [--json]\n',
  );
  process.exit(2);
}

const qflare = join(import.meta.dirname, '../../bin/qflare.js');
const scratch = mkdtempSync(join(tmpdir(), 'qflare-heart-'));
const folder = values.out ?? join(scratch, 'run');

const plan = join(scratch, 'plan.toml');
const text = readFileSync(values.plan ?? planPath, 'utf8');
writeFileSync(plan, values.rounds === undefined ? text : text.replace(/count = \d+/, `count = ${values.rounds}`));
execFileSync(process.execPath, [qflare, 'init', folder, '--plan', plan], { stdio: ['ignore', 'ignore', 'inherit'] });

type Ended = { readonly code: number; readonly out: string; readonly err: string };

/** Starts a command; `onLine` hears the first line of its output. */
function start(args: readonly string[], onLine: (line: string) => void = () => {}): Promise<Ended> {
  const child = spawn(process.execPath, [qflare, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill());
  let [out, err] = ['', ''];
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    const isFirst = !out.includes('\n');
    out += chunk.toString();
    if (isFirst && out.includes('\n')) onLine(out.slice(0, out.indexOf('\n')));
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code: code ?? 70, out, err }));
  });
}

const greeting = Promise.withResolvers<{ links: readonly { link: string }[] }>();
const served = start(['serve', folder, '--json'], (line) => greeting.resolve(JSON.parse(line)));
const { links } = await Promise.race([
  greeting.promise,
  served.then(({ err }): never => {
    throw new Error(`The coordinator did not start: ${err}`);
  }),
]);
const joined = hospitals.map((hospital, i) =>
  start(
    ['join', links[i]!.link, '--json', '--name', hospital].concat([
      '--data',
      fileOf(data, hospital),
      '--state',
      join(scratch, hospital),
    ]),
  ),
);
const ended = await Promise.all([served, ...joined]);
const failed = ended.findIndex(({ code }) => code !== 0);
if (failed !== -1) {
  process.stderr.write(`${failed === 0 ? 'serve' : hospitals[failed - 1]} ended: ${ended[failed]!.err}`);
  process.exit(1);
}

const record = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')) as RunRecord;
const clients = record.rounds.at(-1)!.clients!;
const sites = ended.slice(1).map(({ out, err }, i) => ({
  hospital: hospitals[i]!,
  ...clients.byClient[(JSON.parse(out) as { clientId: string }).clientId]!,
  said: err.split('\n').filter((line) => /rows|features|columns/.test(line)),
}));
if (values.json === true) {
  process.stdout.write(`${JSON.stringify({ folder, rounds: record.rounds.length, clients, sites })}\n`);
} else {
  for (const { said } of sites) process.stdout.write(`${said.join('\n')}\n`);
  process.stdout.write('\n| hospital | accuracy | held-out rows |\n| --- | --- | --- |\n');
  for (const { hospital, accuracy, examples } of sites) {
    process.stdout.write(`| ${hospital} | ${accuracy.toFixed(3)} | ${examples} |\n`);
  }
  process.stdout.write(`| all | ${clients.accuracy.toFixed(3)} | ${clients.examples} |\n`);
  process.stdout.write(`\nThe model, its report and its journal are in ${folder}\n`);
}
