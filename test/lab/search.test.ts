import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runSearch } from '../../src/lab/search/run-search.ts';
import { parseSearch, type SearchInput, settingsAt } from '../../src/lab/search/search-file.ts';

const input: SearchInput = {
  plan: {
    model: { kind: 'softmax-regression', inputs: 4, classes: 2 },
    cohort: { expected: 5 },
    training: { epochs: 1 },
    aggregation: {},
  },
  search: { rounds: [1, 2], trials: 5, initial: 3, batch: 2 },
};

const refusals: readonly (readonly [object, RegExp])[] = [
  [
    { ...input, scores: 'private' },
    /each setting must be drawn without looking at scores.*would cost ε = \d+\.\d\d in place of 8/,
  ],
  [
    { ...input, data: { source: 'mnist', folder: '/data' } },
    /scores must be "public" or "private" where data.folder is given/,
  ],
  [{ ...input, search: { epsilon: [2, 2] } }, /search.epsilon must be a range/],
  [{ ...input, search: { epsilon: [8, 1] } }, /search.epsilon: must be \[least, most\]/],
];

describe('qflare privacy optimize', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'qflare-search-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('settings lie in their ranges, at both ends too', () => {
    const search = parseSearch({ ...input, search: { rounds: [3, 3], clipNorm: [0.5, 2] } });
    assert.deepEqual(settingsAt(search, [0, 0, 0]), { epsilon: 1, rounds: 3, clipNorm: 0.5, sampleRate: 0.2 });
    assert.deepEqual(settingsAt(search, [1, 1, 1]), { epsilon: 8, rounds: 3, clipNorm: 2, sampleRate: 1 });
    assert.deepEqual(settingsAt(search, [0.5, 0.5, 0]), { epsilon: 2.83, rounds: 3, clipNorm: 1, sampleRate: 0.2 });
  });

  for (const [file, message] of refusals) {
    it(`refuses with ${message}`, () => {
      assert.throws(() => parseSearch(file), message);
    });
  }

  it('a search that was cut goes on, and gives the bytes of one that was not, on any number of threads', async () => {
    const whole = await runSearch(input, { folder: join(folder, 'whole'), threads: 2 });
    const abort = new AbortController();
    const cut = await runSearch(input, {
      folder: join(folder, 'cut'),
      threads: 1,
      signal: abort.signal,
      onProgress: ({ done }) => void (done === 2 && abort.abort()),
    });
    assert.ok(cut.pending > 0 && cut.trials.length >= 2, `${cut.pending}`);
    const rest = await runSearch(input, { folder: join(folder, 'cut'), threads: 1 });
    assert.deepEqual(rest, whole);
    assert.equal(whole.trials.length, 5);
    assert.ok(whole.trials.some(({ isBest }) => isBest));
    for (const name of ['trials.csv', 'trials.json', 'front.svg']) {
      const [a, b] = await Promise.all(['whole', 'cut'].map((run) => readFile(join(folder, run, name), 'utf8')));
      assert.equal(a, b);
    }
  });

  it('the command prints the front, says where the picture is, and takes up what has run', async () => {
    const path = join(folder, 'search.toml');
    await writeFile(
      path,
      'name = "tiny"\n[plan]\nmodel = { kind = "softmax-regression", inputs = 4, classes = 2 }\ncohort = { expected = 5 }\ntraining = { epochs = 1 }\naggregation = {}\n[search]\nrounds = [1, 2]\ntrials = 5\ninitial = 3\nbatch = 2\n',
    );
    const bin = join(import.meta.dirname, '../../bin/qflare.js');
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [bin, 'privacy', 'optimize', path, '--out', join(folder, 'whole')],
      { timeout: 120_000 },
    );
    assert.match(
      stdout,
      /^δ = 0.00001, 5 simulated clients, client level; 5 trials, of which none beats these:\n +ε +accuracy/,
    );
    assert.match(stdout, /Picture: .*front\.svg/);
    assert.match(stderr, /5 of 5: ε [\d.]+, \d rounds, clip norm [\d.]+: \d+\.\d+ %/);
  });
});
