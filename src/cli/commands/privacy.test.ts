import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../../../test/cli/run-command.ts';

const launcher = fileURLToPath(new URL('../../../bin/qflare.js', import.meta.url));
const spawn = (line: string) =>
  spawnSync(process.execPath, [launcher, 'privacy', ...line.split(' ')], { encoding: 'utf8' });
const run = async (line: string) => runCommand('privacy', ...line.split(' '));

const rounds = '--sample-rate 0.01 --steps 10000 --delta 1e-5';

describe('qflare privacy', () => {
  it('epsilon --json prints ε, both accountants, δ and the relation', async () => {
    const report = JSON.parse(await run(`epsilon --noise-multiplier 1.1 ${rounds} --json`));
    assert.deepEqual(Object.keys(report), ['epsilon', 'pld', 'rdp', 'delta', 'adjacency']);
    assert.ok(Math.abs(report.rdp - 5.632) < 1e-3 && report.pld < 5.2 && report.epsilon === report.pld);
    assert.equal(report.adjacency, 'add-or-remove-one');
  });

  it('epsilon --json writes infinity as null', async () => {
    const report = JSON.parse(await run(`epsilon --noise-multiplier 0 ${rounds} --json`));
    assert.deepEqual([report.epsilon, report.pld, report.rdp], [null, null, null]);
  });

  it('noise --json is the inverse of epsilon', async () => {
    const { noiseMultiplier } = JSON.parse(await run(`noise --epsilon 8 ${rounds} --json`));
    const back = JSON.parse(await run(`epsilon --noise-multiplier ${noiseMultiplier} ${rounds} --json`));
    assert.ok(back.epsilon <= 8 && back.epsilon > 7.99);
  });

  it('plan --json spends the budget over the rounds', async () => {
    const plan = JSON.parse(await run('plan --epsilon 2 --sample-rate 0.1 --steps 100 --delta 1e-5 --json'));
    assert.ok(plan.utilisation > 0.98 && plan.utilisation <= 1);
    assert.deepEqual(
      plan.spentAfter.map((row: { rounds: number }) => row.rounds),
      [25, 50, 75, 100],
    );
    assert.equal(plan.spentAfter.at(-1).epsilon, plan.epsilon);
  });

  it('usage that is wrong ends with 2 and names the value, below a command too', async () => {
    const { status, stderr } = spawn(`epsilon --noise-multiplier 1 ${rounds.replace('10000', 'ten')}`);
    assert.deepEqual(
      [status, /'--steps <count>' argument 'ten' is invalid. It must be a number/.test(stderr)],
      [2, true],
    );
    assert.equal(spawn(`epsilon --noise-multiplier 1`).status, 2);
    const nowhere = spawn('ledger /nowhere');
    assert.equal(nowhere.status, 2);
    assert.match(nowhere.stderr, /must be a coordinator's folder, or under local privacy the state folder of a site/);
  });

  it('speaks to people without --json and refuses a sample rate above 1', async () => {
    assert.match(await run(`epsilon --noise-multiplier 1.1 ${rounds}`), /^ε = 5\.19\d+ at δ = 0\.00001 \(PLD/);
    await assert.rejects(
      run('epsilon --noise-multiplier 1 --sample-rate 2 --steps 1 --delta 1e-5'),
      /sampleRate must be from 0 to 1/,
    );
  });
});
