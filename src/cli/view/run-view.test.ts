import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { syntheticRun } from '../../core/report/synthetic-run.fixture.ts';
import { createRunView, progressText } from './run-view.ts';

const { run } = syntheticRun();
const [first, second] = [run.rounds[0]!, run.rounds[1]!];
const aborted = run.rounds[8]!;
const clearLine = '\r\u001B[2K';
const environment = { NO_COLOR: process.env['NO_COLOR'], TERM: process.env['TERM'] };

beforeEach(() => {
  delete process.env['NO_COLOR'];
  process.env['TERM'] = 'xterm';
});

afterEach(() => {
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

function fakeStream(terminal?: { columns: number }) {
  const stream = new Writable({ write: (chunk, _, done) => (writes.push(String(chunk)), done()) });
  const writes: string[] = [];
  return { stream: Object.assign(stream, terminal === undefined ? {} : { isTTY: true, ...terminal }), writes };
}

/** What a terminal shows after these writes: it knows colours, line ends and the clearing of its last line. */
function screenOf(writes: readonly string[]): string[] {
  const text = writes.join('');
  // No code but colours and the clearing of the line may be used: then no line above the last can change.
  const codes = new Set(text.match(/\p{Cc}\[[0-9;]*[A-Za-z]/gu)?.filter((code) => !code.endsWith('m')));
  assert.ok(
    [...codes].every((code) => clearLine.endsWith(code)),
    JSON.stringify([...codes]),
  );
  return text.split('\n').map((line) => stripVTControlCharacters(line.split(clearLine).at(-1)!));
}

test('a terminal that says it has no columns shows progress as one of eighty', () => {
  const { stream, writes } = fakeStream({ columns: 0 });
  createRunView(stream).progress('x'.repeat(100));
  assert.equal(screenOf(writes).at(-1)!.length, 79);
});

test('a terminal shows the rows, and the progress of the round under way as its last line', () => {
  const { stream, writes } = fakeStream({ columns: 100 });
  const view = createRunView(stream);
  view.heading('QFLARE demo');
  view.progress('round 1: 3 of 10');
  assert.deepEqual(screenOf(writes), ['QFLARE demo', 'round 1: 3 of 10']);
  view.progress('round 1: 9 of 10');
  view.round(first);
  view.progress('round 2: 0 of 10');
  view.note('client-05 left');
  const screen = screenOf(writes);
  assert.equal(screen.length, 5);
  assert.match(screen[1]!, /^ +round +clients +accuracy +at clients +loss +flagged +bytes +time$/);
  assert.match(screen[2]!, /^ +1 +10\/10 +57\.78 % +57\.18 % +1\.4061 +client-03, client-08 +6\.10 MB +2\.88 s$/);
  assert.deepEqual(screen.slice(3), ['client-05 left', 'round 2: 0 of 10']);
  view.round(second);
  view.end();
  assert.deepEqual(screenOf(writes).slice(0, 4), screen.slice(0, 4));
  assert.equal(screenOf(writes).at(-1), '');
});

test('without a terminal there are plain lines, and no progress', () => {
  const { stream, writes } = fakeStream();
  const view = createRunView(stream);
  view.heading('QFLARE demo');
  for (const record of [first, aborted]) {
    view.progress('under way');
    view.round(record);
  }
  view.end();
  const text = writes.join('');
  assert.doesNotMatch(text, /\u001B|\r|under way/); // oxlint-disable-line no-control-regex
  assert.equal(text.split('\n').length, 5);
  assert.match(text, /\n +9 {2}aborted: 3 of 10 contributions to "update" where the quorum is 7\n/);
});

test('NO_COLOR leaves the redrawn line and no colour', () => {
  process.env['NO_COLOR'] = '1';
  const { stream, writes } = fakeStream({ columns: 80 });
  const view = createRunView(stream);
  view.progress('under way');
  view.round(first);
  view.end();
  assert.deepEqual(writes.join('').match(/\p{Cc}\[[0-9;]*[A-Za-z]/gu), ['\u001B[2K']);
});

test('no line is as wide as the terminal, and narrow ones keep round, accuracy and flagged', () => {
  for (const columns of [27, 35, 36, 48, 49, 57, 58, 66, 67, 79, 80, 91, 92, 120, 200]) {
    const { stream, writes } = fakeStream({ columns });
    const view = createRunView(stream);
    view.progress('x'.repeat(300));
    for (const record of run.rounds) view.round(record);
    const screen = screenOf(writes);
    for (const line of screen) assert.ok([...line].length < columns, `${columns}: ${line}`);
    assert.match(screen[0]!, /round.*accuracy.*flagged/);
    assert.match(screen[1]!, /57\.78 %/);
    if (columns >= 80) assert.match(screen[1]!, /client-03, client-08 .*6\.10 MB +2\.88 s/);
  }
});

test('a name cannot steer the terminal', () => {
  const { stream, writes } = fakeStream({ columns: 100 });
  const view = createRunView(stream);
  const bad = '\u001B[2J\u001B]0;title\u0007\u001B[8m\r\n\u202Ex';
  view.heading(bad);
  view.note(bad);
  view.progress(bad);
  view.round({ ...first, flagged: [bad] });
  view.round({ ...aborted, reason: bad });
  view.end();
  const text = writes.join('').replaceAll(clearLine, '');
  const codes = text.match(/\p{Cc}(\[[0-9;]*[A-Za-z])?/gu)!;
  for (const code of codes) assert.match(code, /^(\n|\u001B\[(1|2|22|3[1-6]|39)m)$/); // oxlint-disable-line no-control-regex
  assert.doesNotMatch(text, /\u202E/);
});

test('figures that were not measured are dashes', () => {
  const { stream, writes } = fakeStream();
  createRunView(stream).round({ ...first, accuracy: null, loss: null, clients: null, flagged: [], verdicts: [] });
  assert.match(writes.join(''), /\n +1 +10\/10 +– +– +– +6\.10 MB/);
});

test('progressText() says phase, how many are in, and the time', () => {
  assert.equal(
    progressText({ round: 7, roundCount: 20, phase: 'update', received: 6, expected: 10, seconds: 1.2 }),
    '  round 7 of 20 · update · 6 of 10 in · 1.20 s',
  );
});
