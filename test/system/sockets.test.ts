// One small cell of `npm run bench:sockets`: a coordinator and five clients as processes, two of them hostile.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { accuracyBoard, boardCsv, boardFacts, flaggedBoard } from '../../benchmarks/sockets/board.ts';
import { socketAxes, socketCell, socketCells } from '../../benchmarks/sockets/matrix.ts';
import { runSocketCell, type SocketOutcome } from '../../benchmarks/sockets/run-cell.ts';
import { ProcessGroup } from '../../src/cli/demo/processes.ts';

const size = { clients: 5, attackers: 2, rounds: 2, samples: 1000, alpha: 5 };
const place = { attack: 'min-max', rule: 'trimmed-mean f=2', seed: 4 };

test('a cell of the scoreboard: accomplices attack over TLS as processes, and nothing is left behind (> 5 s)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qflare-sockets-'));
  mkdirSync(join(folder, 'logs'));
  const group = new ProcessGroup(join(folder, 'logs'));
  const [ownFlags, context] = [process.execArgv, process.env['NODE_TEST_CONTEXT']];
  // The test runner's own flags would make a test runner of each process.
  process.execArgv = ownFlags.filter((flag) => !flag.startsWith('--test'));
  delete process.env['NODE_TEST_CONTEXT'];
  try {
    const cell = socketCell(place, size);
    const outcome = await runSocketCell(cell, { group, folder });
    assert.equal(outcome.status, 'completed');
    assert.deepEqual([outcome.curve.length, outcome.processes, outcome.refused], [2, 6, 0]);
    assert.equal(outcome.tls, 'TLSv1.3 X25519MLKEM768');
    assert.ok(outcome.accuracy! > 0.3, `accuracy ${outcome.accuracy}`);
    assert.ok(outcome.bytesUp > 0 && outcome.bytesDown > 0);
    assert.deepEqual(readdirSync(join(folder, 'run')), []);
    assert.match(boardFacts([{ cell, outcome }]), /^1 federations, 6 processes, seeds 4; /);
  } finally {
    process.execArgv = ownFlags;
    if (context !== undefined) process.env['NODE_TEST_CONTEXT'] = context;
    group.killAll();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the scoreboard has at least six attacks and four rules, whole seed by whole seed, each cell under a key of its own', () => {
  const cells = socketCells();
  assert.ok(socketAxes.attack.length > 6 && socketAxes.rule.length >= 4);
  assert.equal(new Set(cells.map(({ key }) => key)).size, cells.length);
  const seeds = cells.map(({ seed }) => seed);
  assert.deepEqual(
    seeds,
    seeds.toSorted((a, b) => a - b),
  );
  assert.ok(cells.every(({ attack, attackers }) => attackers === (attack === 'none' ? 0 : 2)));
});

test('the tables say mean and spread over the seeds, flagged attackers before flagged honest, and a dash for no cell', () => {
  const outcome = (accuracy: number, attackers: number): SocketOutcome => ({
    status: 'completed',
    accuracy,
    curve: [[2, accuracy]],
    flagged: { attackers, honest: 1 / 3 },
    refused: 0,
    processes: 6,
    tls: 'TLSv1.3 X25519MLKEM768',
    bytesUp: 5,
    bytesDown: 7,
    seconds: 3,
  });
  const rows = [
    { cell: socketCell(place, size), outcome: outcome(0.5, 1) },
    { cell: socketCell({ ...place, seed: 5 }, size), outcome: outcome(0.7, 0.5) },
  ];
  const axes = { attack: ['none', 'min-max'], rule: ['trimmed-mean f=2'] };
  assert.deepEqual(accuracyBoard(rows, axes).split('\n').at(-1), '| trimmed-mean | – | 60.0 ± 14.1 |');
  assert.deepEqual(flaggedBoard(rows, axes).split('\n').at(-1), '| trimmed-mean | – | 3 of 4, 2 of 6 |');
  const [head, first] = boardCsv(rows).split('\n');
  assert.match(head!, /^attack,rule,seed,clients,attackers,status,accuracy,/);
  assert.match(first!, /^min-max,trimmed-mean f=2,4,5,2,completed,0\.5,1,0\.333/);
});
