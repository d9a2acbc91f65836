import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forecastText, type RunRecord } from '../round/run-record.ts';
import { renderReport } from './html.ts';
import { privacySection } from './privacy-section.ts';
import { syntheticRun } from './synthetic-run.fixture.ts';
import { toText } from './markup.ts';
import { elementsOf } from './well-formed.fixture.ts';

const client = { granted: 8, filter: 5, odometer: 4.5 };
const run: RunRecord = {
  ...syntheticRun().run,
  privacy: {
    statement: 'central, weak: (ε = 8, δ = 0.00001) for each client over 9 rounds',
    epsilon: 8,
    delta: 1e-5,
    central: {
      purpose: 'training',
      rule: 'plan',
      noiseMultiplier: 1.5,
      sampleRate: 0.5,
      radius: 1,
      roundsPlanned: 4,
      clients: [
        { ...client, clientId: 'client-01', plan: 4.25, roundsLeft: 5, forecast: { low: 5, median: 6, high: 9 } },
        { ...client, clientId: '<b>', plan: 8, roundsLeft: 0, forecast: null },
      ],
      groups: [
        { name: 'dr-a', clients: ['client-01', '<b>'], epsilon: 9.5, limit: 10 },
        { name: 'dr-b', clients: ['c', 'd'], epsilon: 1, limit: null },
      ],
    },
  },
};

test('the privacy page names (ε, δ), unit and rounds, each client’s budget and forecast, and what is simulated', () => {
  const rounds = run.rounds.map((record, i) => ({
    ...record,
    privacy: {
      noiseMultiplier: 1.5,
      sampleRate: 0.5,
      radius: 1,
      epsilon: 1 + i,
      delta: 1e-5,
      noise: 'simulated' as const,
    },
  }));
  const text = toText(privacySection({ ...run, rounds })!);
  assert.match(text, /\(ε = 8, δ = 0\.00001\) for each client over 9 rounds/);
  assert.match(text, /client-01.*4\.250.*>5<.*5, 6, 9/s);
  assert.match(text, /&lt;b&gt;.*8\.000.*has run out/s);
  assert.match(text, /Group dr-a \(2 clients\): 9\.500 spent together, of 10\./);
  assert.match(text, /Group dr-b .*1\.000 spent together, no limit/);
  assert.match(text, /Privacy spent by round/);
  assert.match(text, /simulated/);
  const page = renderReport({ ...run, rounds, isWithheld: true });
  assert.match(page, /Withheld here: participants, refusals, verdicts and traffic/);
  assert.ok(elementsOf(page).length > 0, 'well-formed');
});

test('under DP-FTRL a forecast says where the run ends first', () => {
  const forecastOf = (low: number | null, high: number | null) =>
    forecastText({ roundsLeft: 3, forecast: { low, median: low, high } });
  assert.equal(forecastOf(4, null), '4, 4, after the end');
  assert.equal(forecastOf(null, null), 'after the end');
  assert.equal(forecastText({ roundsLeft: 2, forecast: null }), '–');
});

test('without privacy there is no such page; under local privacy it says who counts', () => {
  assert.equal(privacySection(syntheticRun().run), null);
  const local = { ...run, privacy: { ...run.privacy!, central: null } };
  assert.match(toText(privacySection(local)!), /Each site clips and noises its own updates/);
});
