import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan } from '../plan/plan.ts';
import { checkReports } from '../intake/reports.ts';
import { questionsIn } from '../plan/histograms.ts';
import { countedReports, histogramFigures, newReports } from './histograms.ts';

const plan = parsePlan({
  model: { kind: 'softmax-regression', inputs: 4, classes: 3 },
  privacy: { mode: 'local', epsilon: 8, histograms: [{ name: 'labels', epsilon: 2, rounds: [1, 3] }] },
});
const report = (value: number) => Uint8Array.of(0, 0, 0, value);
const sent = (key: string, ...values: number[]) => ({
  clientIds: values.map((_, i) => `client-0${i + 1}`),
  updates: values.map((value) => ({ reports: { [key]: report(value) } })),
});

test('each client counts once for a question, its first report; asked anew it counts again', () => {
  const first = newReports(plan, 1, {}, sent('labels/1', 0, 2));
  assert.deepEqual(first, [{ key: 'labels/1', clients: ['client-01', 'client-02'], counts: [1, 0, 1] }]);
  const known = countedReports({}, first);
  // A client that changes its mind changes nothing; one that was not there before is counted now.
  const second = newReports(plan, 2, known, sent('labels/1', 1, 1, 1));
  assert.deepEqual(second, [{ key: 'labels/1', clients: ['client-03'], counts: [0, 1, 0] }]);
  const after = countedReports(known, second);
  assert.deepEqual(after['labels/1'], { clients: ['client-01', 'client-02', 'client-03'], counts: [1, 1, 1] });
  assert.deepEqual(newReports(plan, 2, after, sent('labels/1', 1)), []);
  const anew = countedReports(after, newReports(plan, 3, after, sent('labels/3', 2)));
  const figures = histogramFigures(plan, anew);
  assert.deepEqual(
    figures.map(({ from, reports }) => [from, reports]),
    [
      [1, 3],
      [3, 1],
    ],
  );
  // Three answers, one of each value: a third for each, whatever the noise.
  for (const { frequency, standardError } of figures[0]!.values) {
    assert.ok(Math.abs(frequency - 1 / 3) < 1e-12 && standardError > 0);
  }
  assert.deepEqual(histogramFigures(plan, {})[0]!.values, []);
});

test('an update must answer what its round asks, with a possible report, and nothing else', () => {
  const questions = questionsIn(plan, 1);
  const codeOf = (said: Record<string, string> | undefined) => {
    const outcome = checkReports(said, questions);
    return outcome.ok ? 'ok' : `${outcome.code}: ${outcome.detail}`;
  };
  assert.equal(codeOf({ 'labels/1': report(2).toBase64() }), 'ok');
  assert.match(codeOf(undefined), /^bad-payload: 0 reports where 1 are asked for/);
  assert.match(codeOf({ 'labels/3': report(2).toBase64() }), /^bad-payload: no report for labels\/1/);
  assert.match(codeOf({ 'labels/1': 'no base64!' }), /^bad-payload: no report/);
  assert.match(codeOf({ 'labels/1': report(3).toBase64() }), /^bad-payload: the report for labels\/1: 3 of 3/);
  assert.match(codeOf({ 'labels/1': '', 'labels/3': '' }), /^bad-payload: 2 reports/);
  const none = checkReports(undefined, []);
  assert.ok(none.ok && Object.keys(none.value).length === 0);
});
