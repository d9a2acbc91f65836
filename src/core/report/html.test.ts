import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { DemoRecord, RunRecord } from '../round/run-record.ts';
import { renderAccuracySvg } from './accuracy-svg.ts';
import { metricsCsv } from './csv.ts';
import { formatDecimals, formatShare } from './format.ts';
import { renderReport } from './html.ts';
import { syntheticRun } from './synthetic-run.fixture.ts';
import { elementsOf } from './well-formed.fixture.ts';

const { run, demo } = syntheticRun();
const allowed = new Set(
  'html head meta title style body header main footer section h1 h2 h3 p span div dl dt dd figure figcaption table caption thead tbody tr th td pre code bdi strong svg g path line rect circle text desc'.split(
    ' ',
  ),
);

/** Every text of a record becomes an attack on the reader. */
function hostile<T>(value: T, attack: string): T {
  if (typeof value === 'string') return attack as T;
  if (Array.isArray(value)) return value.map((item) => hostile(item as unknown, attack)) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, hostile(member as unknown, attack)]),
  ) as T;
}

test('renderReport() is well-formed, without script, and loads nothing', () => {
  const page = renderReport(run, demo);
  for (const name of elementsOf(page)) assert.ok(allowed.has(name), name);
  assert.doesNotMatch(page, /\b(src|href|style|on\w+)=|url\(|@import/);
  assert.ok(!page.replaceAll('http://www.w3.org/2000/svg', '').includes('://'));
});

test('renderReport() has a policy that allows its own style sheet and nothing else', () => {
  const page = renderReport(run, demo);
  const style = /<style>([^]*?)<\/style>/.exec(page)![1]!;
  const hash = createHash('sha256').update(style).digest('base64');
  assert.ok(page.includes(`content="default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;; base-uri`));
});

test('renderReport() escapes every text of its records', () => {
  const attacks = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    '</title></style><b>',
    '${x}&lt;&#0;',
    '\u0000\u001B[2J\u202Egnp',
  ];
  const kept = new Set(['status']);
  for (const attack of attacks) {
    const bad: RunRecord = {
      ...hostile(run, attack),
      status: run.status,
      rounds: run.rounds.map((record) => ({
        ...hostile(record, attack),
        ...Object.fromEntries(Object.entries(record).filter(([key]) => kept.has(key))),
      })),
    };
    const pages = [
      renderReport(bad, hostile(demo, attack)),
      renderReport(bad),
      renderAccuracySvg(bad, hostile(demo, attack)),
    ];
    for (const page of pages) {
      for (const name of elementsOf(page)) assert.ok(allowed.has(name), `${name} by ${attack}`);
      if (/[<"']/.test(attack)) assert.ok(!page.includes(attack), attack);
      assert.doesNotMatch(page, /[\u0000\u001B\u202E]/); // oxlint-disable-line no-control-regex
    }
  }
});

test('renderReport() prints the figures of every round and of every client', () => {
  const page = renderReport(run, demo);
  for (const record of run.rounds) {
    const row = new RegExp(`<tr[^>]*><th scope="row" class="number">${record.round}</th>([^]*?)</tr>`).exec(page)?.[1];
    assert.ok(row !== undefined, `round ${record.round}`);
    const figures = [
      formatShare(record.accuracy),
      formatDecimals(record.loss, 4),
      formatShare(record.clients?.accuracy ?? null),
    ];
    for (const text of [...figures, ...record.flagged, record.modelHash ?? '–']) assert.ok(row.includes(text), text);
    if (record.status === 'aborted') assert.ok(page.includes('Round 9 was aborted: 3 of 10 contributions'));
  }
  for (const clientId of run.clientIds) assert.ok(page.includes(`<th scope="row"><bdi>${clientId}</bdi></th>`));
  for (const text of [
    'X25519MLKEM768',
    'TLSv1.3',
    'TLS_AES_256_GCM_SHA384',
    'ML-DSA-65',
    'MLKEM768-X25519',
    run.planHash,
    demo.command,
  ]) {
    assert.ok(page.includes(text), text);
  }
  assert.match(page, /2 of 2 attackers flagged, no honest client flagged/);
  assert.match(page, /it agrees/);
});

test('renderReport() says so when the plan is not the one of the hash', () => {
  assert.match(renderReport({ ...run, plan: { name: 'other' } }), /it does not agree/);
});

test('renderReport() labels every comparison as simulated', () => {
  const page = renderReport(run, demo);
  assert.match(page, /Centralised \(simulated\)/);
  assert.match(page, /Undefended \(simulated\)/);
  assert.match(page, /undefended \d\d\.\d\d % \(simulated\)/);
  assert.doesNotMatch(renderReport(run), /simulated|attacker/i);
  const without = renderReport(run, { ...demo, undefended: null, centralized: null });
  assert.match(without, /centralised was not run, undefended was not run/);
});

test('renderReport() gives the reason where nothing was measured', () => {
  const rounds = run.rounds.map((record) => ({ ...record, accuracy: null, loss: null, clients: null }));
  const page = renderReport({ ...run, rounds, tls: null });
  for (const reason of [
    'no test data at the coordinator',
    'no client has reported an evaluation',
    'no client has reported its connection',
  ]) {
    assert.ok(page.includes(reason), reason);
  }
  const empty = renderReport({ ...run, rounds: [], clientIds: [], flagged: [] }, { ...demo, attackers: [] });
  assert.match(empty, /no round has completed/);
  assert.match(empty, /No round has ended yet/);
});

test('no output holds a NaN, an infinity or an undefined, whatever is missing', () => {
  const variants: [RunRecord, DemoRecord | undefined][] = [];
  for (const rounds of [0, 1, 2, 9]) {
    for (const clients of [0, 1, 4]) {
      const made = syntheticRun({ rounds, clients: Math.max(1, clients) });
      const base = clients === 0 ? { ...made.run, clientIds: [], rounds: [] } : made.run;
      const bare = base.rounds.map((record) => ({
        ...record,
        accuracy: null,
        loss: null,
        clients: null,
        verdicts: [],
        flagged: [],
      }));
      const aborted = bare.map((record) => ({
        ...record,
        status: 'aborted' as const,
        reason: null,
        accepted: [],
        modelHash: null,
      }));
      const odd = base.rounds.map((record, i) => ({
        ...record,
        accuracy: [0, 1, null][i % 3]!,
        loss: [0, 1e9, 1e-9][i % 3]!,
        verdicts: record.verdicts.map((verdict, k) => ({
          ...verdict,
          norm: [0, Number.NaN, Infinity, 1e-20][k % 4]!,
          cosine: Number.NaN,
          weight: null,
        })),
      }));
      for (const list of [base.rounds, bare, aborted, odd]) {
        variants.push([{ ...base, rounds: list }, made.demo], [{ ...base, rounds: list, tls: null }, undefined]);
        variants.push([
          { ...base, rounds: list },
          { ...made.demo, undefended: { accuracy: 0.5, accuracyByRound: [] }, centralized: null },
        ]);
      }
    }
  }
  for (const [record, comparison] of variants) {
    const documents = [renderReport(record, comparison), renderAccuracySvg(record, comparison)];
    for (const document of documents) elementsOf(document);
    for (const text of [...documents, metricsCsv(record)]) assert.doesNotMatch(text, /NaN|Infinity|undefined|\[object/);
  }
});

test('renderReport() of one record has the same bytes every time', () => {
  assert.equal(renderReport(run, demo), renderReport(structuredClone(run), structuredClone(demo)));
});

test('renderAccuracySvg() stands alone and ends each line at its last value', () => {
  const svg = renderAccuracySvg(run, demo);
  elementsOf(svg);
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.match(svg, /prefers-color-scheme:dark/);
  for (const text of [
    formatShare(run.rounds.at(-1)!.accuracy),
    formatShare(demo.undefended!.accuracy),
    formatShare(demo.centralized!.accuracy),
  ]) {
    assert.ok(svg.includes(`>${text}</text>`), text);
  }
  assert.match(svg, /10 clients, 2 attackers among them \(sign-flip, scaled-sign-flip\)/);
});

test('renderReport() shows the personal models beside the global one, where sites have them', () => {
  const { run } = syntheticRun({ rounds: 1 });
  const [first] = run.rounds;
  const personal = {
    reports: 2,
    accuracy: 0.9125,
    loss: 0.3,
    accuracySpread: 0.01,
    worst: { clientId: 'a', accuracy: 0.875 },
  };
  const rounds = [{ ...first!, clients: { ...first!.clients!, personal } }];
  assert.match(renderReport({ ...run, rounds }), /their own models 91\.\d+ %, worst 87\.\d+ % \(<bdi>a<\/bdi>\)/);
  assert.doesNotMatch(renderReport(run), /their own models/);
});
