// Measures what honest clients look like to the detectors, on attack-free runs, and writes src/core/detection/calibration.ts.
// Usage: node benchmarks/calibrate-detection.ts [--cohort N] [--write]. Runs are kept in runs/detection/recordings, so that it can be resumed.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { detectors, type DetectorId } from '../src/core/detection/index.ts';
import type { Observation } from '../src/core/detection/detector.ts';
import { useCalibration } from '../src/core/detection/limits.ts';
import { featureIds } from '../src/core/detection/measure/features.ts';
import type { Scores } from '../src/core/detection/measure/standing.ts';
import { standingsOf } from '../src/core/detection/standings-of.ts';
import { observationsAt, recordingOf } from './detection/recording.ts';
import { partitions, type PartitionName, ruleName } from './detection/setting.ts';

/** Seeds from 100 on: the table of docs is measured on 11 to 20. Smaller cohorts need more runs for as many clients. */
const firstSeed = 100;
const seedsByCohort = { 5: 40, 10: 30, 20: 24, 40: 8 } as const;
const rounds = 40;
const horizons = [1, 2, 4, 10, 20] as const;
const shares = [0.1, 0.03, 0.01, 0.003, 0.001] as const;
const quietCount = 256;

const { values } = parseArgs({ options: { cohort: { type: 'string' }, write: { type: 'boolean' } } });
const target = fileURLToPath(new URL('../src/core/detection/calibration.ts', import.meta.url));

/**
 * What honest clients scored, round by round, and how long their updates were, as ln over the median. Copies and long
 * updates have limits of their own, so that the scores are without lengths.
 */
type Quiet = { readonly clients: readonly { readonly trail: readonly Scores[]; readonly times: readonly number[] }[] };

async function quietRun(partition: PartitionName, seed: number, clients: number): Promise<Quiet> {
  const recording = await recordingOf({ partition, attack: 'none', seed, clients, rounds });
  const seen = observationsAt(recording, rounds - 1, rounds);
  return {
    clients: seen.map(({ trail }) => ({
      trail: trail.map(withoutLength),
      times: trail.map(({ times }) => times!),
    })),
  };
}

function withoutLength(scores: Scores): Scores {
  return Object.fromEntries(featureIds.flatMap((id) => (scores[id] === undefined ? [] : [[id, scores[id]]])));
}

const known = Object.keys(seedsByCohort).map(Number) as (keyof typeof seedsByCohort)[];
const wanted = values.cohort === undefined ? known : known.filter((size) => String(size) === values.cohort);
const runs = new Map<number, Quiet[]>();
for (const clients of wanted) {
  const list: Quiet[] = [];
  for (const partition of Object.keys(partitions) as PartitionName[]) {
    for (let i = 0; i < seedsByCohort[clients]; i++) list.push(await quietRun(partition, firstSeed + i, clients));
  }
  runs.set(clients, list);
  process.stdout.write(`${clients} clients: ${list.length} attack-free runs of ${rounds} rounds\n`);
}
/** Kept, as every detector asks for the same standings of the same cohorts. */
const looked = new Map<string, Observation[][]>();
if (values.write === true) writeCalibration(wanted);

/** The cohorts that a horizon shows: windows that do not overlap, so that clients are counted evenly. */
function looks(clients: number, horizon: number): Observation[][] {
  const key = `${clients} over ${horizon}`;
  const cohorts = looked.get(key) ?? cohortsOf(clients, horizon);
  looked.set(key, cohorts);
  return cohorts;
}

function cohortsOf(clients: number, horizon: number): Observation[][] {
  const ends = Array.from(
    { length: Math.floor(rounds / Math.max(horizon, 4)) },
    (_, i) => (i + 1) * Math.max(horizon, 4),
  );
  return runs.get(clients)!.flatMap((quiet) =>
    ends.map((end) =>
      quiet.clients.map(({ trail }, i) => ({
        clientId: String(i),
        norm: 1,
        cosine: 1,
        othersCosine: null,
        trail: trail.slice(Math.max(0, end - 20), end),
      })),
    ),
  );
}

/** The most that any client's lengths came to over so many rounds in a row. */
function longest(clients: number, horizon: number): number {
  return Math.max(
    ...runs.get(clients)!.flatMap((quiet) =>
      quiet.clients.flatMap(({ times }) =>
        times.slice(horizon - 1).map((_, from) => {
          const some = times.slice(from, from + horizon);
          return Math.exp(some.reduce((sum, value) => sum + value, 0) / horizon);
        }),
      ),
    ),
  );
}

function quantile(sorted: Float64Array, share: number): number {
  const at = (1 - share) * (sorted.length - 1);
  const [low, high] = [Math.floor(at), Math.ceil(at)];
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function writeCalibration(cohorts: readonly (keyof typeof seedsByCohort)[]): void {
  const features = cohorts.map((clients) =>
    horizons.map((horizon) => {
      const rows = looks(clients, horizon).flatMap((cohort) => standingsOf(cohort, horizon));
      return featureIds.map((_, k) =>
        rounded(quantile(Float64Array.from(rows, (row) => Math.abs(row[k]!)).sort(), 0.01)),
      );
    }),
  );
  const lengths = cohorts.map((clients) => horizons.map((horizon) => rounded(longest(clients, horizon))));
  const quiet = looks(20, 20)
    .flatMap((cohort) => standingsOf(cohort, 20))
    .filter((_, i, all) => i % Math.floor(all.length / quietCount) === 0)
    .slice(0, quietCount);
  const bytes = Uint8Array.from(
    quiet.flatMap((row) => [...row].map((z) => Math.max(-127, Math.min(127, Math.round(8 * z))) & 255)),
  );
  const base = { cohorts, horizons, shares, features, lengths, quiet: bytes.toBase64() };
  let measured: Record<string, number[][][]> = {};
  // The ensemble reads the limits of its members, so it comes last.
  const calibrated = (Object.keys(detectors) as DetectorId[]).filter((id) => detectors[id].limit === 'calibrated');
  for (const id of [...calibrated.filter((id) => id !== 'ensemble'), 'ensemble'] as const) {
    useCalibration({ ...base, detectors: measured });
    const table = cohorts.map((clients) =>
      horizons.map((horizon) => {
        const found = looks(clients, horizon).flatMap((cohort) =>
          detectors[id].suspect(cohort, horizon).map(({ value }) => value),
        );
        const sorted = Float64Array.from(found).sort();
        return shares.map((share) => rounded(quantile(sorted, share)));
      }),
    );
    measured = { ...measured, [id]: table };
    process.stdout.write(`${id}: ${table[cohorts.indexOf(20)]![4]!.join(', ')} at 20 clients over 20 participations\n`);
  }
  const text = `// Made by \`npm run calibrate:detection\` from attack-free runs only: softmax regression on MNIST, 300 images a site, in five
// partitions (IID, Dirichlet 1.0, 0.5, 0.1, sorted by label), ${rounds} rounds, rule ${ruleName.split('-')[0]}, seeds from ${firstSeed} on:
// ${cohorts.map((size) => `${seedsByCohort[size]} seeds of ${size} clients`).join(', ')}.
/* oxlint-disable oxc/approx-constant -- a measured limit may come near a constant */
import type { Calibration } from './calibration-table.ts';

export const calibration: Calibration = ${JSON.stringify({ ...base, detectors: measured })};
`;
  writeFileSync(target, text);
  execFileSync('npx', ['biome', 'format', '--write', target], { stdio: 'ignore' });
}
