import { forecastExhaustion, forecastFromHistory } from '../../src/core/privacy/index.ts';
import { createRng } from '../../src/core/random/rng.ts';
import { percent, settings, type Table } from './settings.ts';

const runs = 400;
const stay = 0.85;

/** How often the 90 % interval of the round in which a budget runs out holds it, over seeded runs with drop-outs. */
export function forecastTable(): Table {
  const rows = settings.map(([q, rounds]) => {
    const seen = Math.round(rounds / 4);
    const left = rounds - seen;
    const coverage = { known: 0, estimated: 0 };
    for (let seed = 0; seed < runs; seed++) {
      const rng = createRng(seed).child('forecast', `${q}`, `${rounds}`);
      let taken = 0;
      for (let round = 0; round < seen; round++) if (rng.float() < stay) taken++;
      let end = 0;
      for (let used = 0; used < left; end++) if (rng.float() < stay) used++;
      const known = forecastExhaustion(left, stay);
      const estimated = forecastFromHistory(left, { taken, rounds: seen });
      if (end >= known.low && end <= known.high) coverage.known++;
      if (end >= estimated.low && end <= estimated.high) coverage.estimated++;
    }
    return { rounds, seen, known: coverage.known / runs, estimated: coverage.estimated / runs };
  });
  const lines = rows.map(
    ({ rounds, seen, known, estimated }) =>
      `| ${rounds - seen} | ${seen} | ${percent(known)} | ${percent(estimated)} |`,
  );
  const isMet = rows.every(({ known, estimated }) =>
    [known, estimated].every((share) => share >= 0.85 && share <= 0.95),
  );
  return {
    lines: [
      '| participations left | rounds seen | presence known | presence from the rounds seen |',
      '| --- | --- | --- | --- |',
      ...lines,
    ],
    isMet,
  };
}
