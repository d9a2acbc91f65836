import type { AggregationReport } from '../core/aggregation/report.ts';
import { gramSpan } from '../core/aggregation/span.ts';
import type { Observation, Verdict } from '../core/detection/detector.ts';
import { judge } from '../core/detection/judge.ts';
import { leaveOneOutCosines } from '../core/detection/leave-one-out.ts';
import { type Inspection, type Memory, memoryOf, remember } from '../core/detection/memory.ts';
import type { Products } from '../core/detection/measure/features.ts';
import { dotOf } from '../core/detection/measure/sketch.ts';
import { rootEffects } from '../core/detection/measure/root-loss.ts';
import { readSketches, writeSketches } from '../core/detection/measure/sketch-file.ts';
import { standardise, withTimes } from '../core/detection/measure/standing.ts';
import { recognise } from '../core/detection/pattern/recognise.ts';
import { type LastUpdate, measureUpdates, type RoundSketch } from '../core/detection/measure/update-features.ts';
import { windowMax } from '../core/detection/limits.ts';
import { standingOf } from '../core/detection/reputation.ts';
import { elementCount } from '../core/model/manifest.ts';
import { planManifest, updateShape } from '../core/plan/learning.ts';
import type { Json } from '../core/protocol/canonical-json.ts';
import type { ClientVerdict } from '../core/round/record.ts';
import type { AtRest } from '../ports/at-rest.ts';
import type { Row } from '../ports/compute.ts';
import { KmsError } from '../ports/kms.ts';
import type { Draft } from './journal.ts';
import type { CoordinatorParts } from './parts.ts';

/** What a sketch tells of one update is little, and for nobody who holds the disk. */
const sketchPlace = 'qflare/sketches/v1';

export type InspectionInput = {
  readonly round: number;
  readonly clientIds: readonly string[];
  readonly rows: readonly Row[];
  readonly report: AggregationReport;
  /** Of the second vectors; null where none travel. */
  readonly controlReport: AggregationReport | null;
  /** The model that the updates were made from, and the step that led to it. */
  readonly base: Row;
  readonly reference: Row;
};

/**
 * Looks at the updates of a round: measures them, holds them against the cohort and against what is remembered, and
 * lets the plan's detector judge. What it says changes nothing in this round.
 */
export async function inspect(
  parts: CoordinatorParts,
  memory: Memory,
  { round, clientIds, rows, report, controlReport, base, reference }: InspectionInput,
): Promise<Draft> {
  const { plan, blobs, atRest, crypto, compute } = parts;
  const isDropped = new Set(report.dropped.map(({ index }) => index));
  const kept = [...rows.keys()].filter((i) => !isDropped.has(i));
  const manifest = planManifest(plan);
  const { deltaCount } = updateShape(plan);
  const keptRows = kept.map((i) => firstOf(rows[i]!, deltaCount));
  const { norms, cosines } = report.diagnostics;
  const seed = memory.seed ?? seedFrom(crypto.randomBytes(4));
  const past = await readPast(parts, memory, clientIds);
  const products = await productsOf(report, kept, norms, keptRows, compute);
  const measured = await measureUpdates({
    rootEffects: await effectsOnRoot(
      parts,
      keptRows,
      base,
      kept.map((i) => norms[i]!),
    ),
    rows: keptRows,
    products,
    cosines: kept.map((i) => cosines[i]!),
    aggregate: report.vector,
    reference,
    base,
    layers: manifest.filter(({ aggregate }) => aggregate).map(elementCount),
    seed,
    last: kept.map((i) => past.lastOf(clientIds[i]!)),
    rounds: past.rounds,
  });
  const scores = withTimes(standardise(measured.features), measured.features);
  const nearest = nearestOf(products);
  const others = othersCosines(report);
  const observations = clientIds.map((clientId, i): Observation => {
    const place = kept.indexOf(i);
    return {
      clientId,
      norm: norms[i]!,
      cosine: cosines[i]!,
      othersCosine: others?.[i] ?? null,
      // Who is alone has no other: an infinite distance would be in no journal.
      nearest: place < 0 || kept.length < 2 ? undefined : nearest[place],
      trail: place < 0 ? [] : [...memoryOf(memory, clientId).trail, scores[place]!].slice(-windowMax),
    };
  });
  const { detector, falseAlarms } = plan.detection;
  const onControls = controlReport === null ? [] : judgeControls(clientIds, controlReport);
  const judged = judge(detector, observations, falseAlarms).map((verdict, i) => withControl(verdict, onControls[i]));
  const flagged = [...judged.keys()].filter((i) => judged[i]!.isFlagged);
  const patterns = new Map(recognise(observations, flagged).map((pattern, place) => [flagged[place]!, pattern]));
  for (const file of memory.stale) await blobs.remove(file);
  const inspection: Inspection = {
    round,
    seed,
    file: await blobs.put(atRest.seal(sketchPlace, writeSketches(measured.round, measured.sketches))),
    scores: kept.map((i, place) => ({ clientId: clientIds[i]!, scores: scores[place]! })),
    verdicts: judged.map(({ clientId, isFlagged, rarity }) => ({ clientId, isFlagged, rarity })),
  };
  const after = remember(memory, inspection);
  const verdicts = judged.map((verdict, i): ClientVerdict => {
    const { trust, state } = standingOf(memoryOf(after, verdict.clientId).reputation);
    return {
      clientId: verdict.clientId,
      isFlagged: verdict.isFlagged,
      score: verdict.score,
      reasons: verdict.reasons,
      ...(patterns.has(i) ? { pattern: patterns.get(i)! } : {}),
      norm: norms[i]!,
      cosine: cosines[i]!,
      weight: report.weights?.[i] ?? null,
      ...(observations[i]!.nearest === undefined ? {} : { nearest: observations[i]!.nearest }),
      trust,
      standing: state,
    };
  });
  const data = { verdicts: verdicts as unknown as Json, inspection: inspection as unknown as Json };
  return { kind: 'round.verdicts', round, data };
}

/** What each update does to the loss on the root set; null where the plan has none. */
async function effectsOnRoot(
  { plan, root = null, engine }: CoordinatorParts,
  rows: readonly Row[],
  base: Row,
  norms: readonly number[],
): Promise<Float64Array | null> {
  if (root === null) return null;
  const lossOf = async (parameters: Float32Array) =>
    (await engine.evaluate({ spec: plan.model, parameters, data: root })).loss;
  return rootEffects(rows, { base, norms, lossOf });
}

/** The cosine of each row to the aggregate of the others; null for a rule on coordinates. */
function othersCosines({ weights, vector, diagnostics: { norms, cosines } }: AggregationReport): Float64Array | null {
  if (weights === null) return null;
  return leaveOneOutCosines({ norms, cosines, weights, aggregateNorm: Math.sqrt(dotOf(vector, vector)) });
}

/** Second vectors are looked at by themselves, in their round alone. */
function judgeControls(clientIds: readonly string[], report: AggregationReport): Verdict[] {
  const { norms, cosines } = report.diagnostics;
  const others = othersCosines(report);
  const observations = clientIds.map((clientId, i): Observation => {
    return { clientId, norm: norms[i]!, cosine: cosines[i]!, othersCosine: others?.[i] ?? null, trail: [{}] };
  });
  return judge('norm-cosine', observations, 1);
}

/** A client that lies in its second vector only is flagged as well. */
function withControl(verdict: Verdict, control: Verdict | undefined): Verdict {
  if (control?.isFlagged !== true) return verdict;
  return {
    ...verdict,
    isFlagged: true,
    score: Math.max(verdict.score, control.score),
    reasons: [...verdict.reasons, ...control.reasons.map((reason) => `control variate: ${reason}`)],
  };
}

/** Products of the kept rows: those of the pipeline where it needed them, else a Gram pass of their own. */
async function productsOf(
  report: AggregationReport,
  kept: readonly number[],
  norms: Float64Array,
  rows: readonly Row[],
  compute: CoordinatorParts['compute'],
): Promise<Products> {
  const { distances2, kept: order } = report.diagnostics;
  const count = kept.length;
  if (distances2 !== null) {
    const places = kept.map((i) => order.indexOf(i));
    const distance2 = (i: number, j: number) => distances2[places[i]! * count + places[j]!]!;
    const norm = (i: number) => norms[kept[i]!]!;
    return { count, norm, distance2, dot: (i, j) => (norm(i) ** 2 + norm(j) ** 2 - distance2(i, j)) / 2 };
  }
  return gramSpan(await compute.gram(rows), false);
}

function nearestOf({ count, distance2 }: Products): number[] {
  return Array.from({ length: count }, (_, i) =>
    Math.sqrt(
      Math.min(...Array.from({ length: count }, (__, j) => (j === i ? Number.POSITIVE_INFINITY : distance2(i, j)))),
    ),
  );
}

/** Reads what earlier rounds left: a file that is gone, or whose data key is, is as if the client were new. */
async function readPast(
  { blobs, atRest }: Pick<CoordinatorParts, 'blobs' | 'atRest'>,
  memory: Memory,
  clientIds: readonly string[],
): Promise<{ readonly rounds: readonly RoundSketch[]; lastOf(clientId: string): LastUpdate | null }> {
  const names = new Set([
    ...memory.files,
    ...clientIds.flatMap((clientId) => memoryOf(memory, clientId).sketch?.file ?? []),
  ]);
  const files = new Map<string, ReturnType<typeof readSketches>>();
  for (const name of names) {
    const bytes = await blobs.get(name);
    const opened = bytes === undefined ? undefined : openSketches(bytes, atRest);
    if (opened !== undefined) files.set(name, readSketches(opened));
  }
  return {
    rounds: memory.files.flatMap((name) => files.get(name)?.round ?? []),
    lastOf(clientId) {
      const place = memoryOf(memory, clientId).sketch;
      const file = place === null ? undefined : files.get(place.file);
      const update = place === null ? undefined : file?.updates[place.index];
      return update === undefined ? null : { update, model: file!.round.model };
    },
  };
}

function openSketches(sealed: Uint8Array, atRest: AtRest): Uint8Array | undefined {
  try {
    return atRest.open(sketchPlace, sealed);
  } catch (error) {
    if (error instanceof KmsError) return undefined;
    throw error;
  }
}

function seedFrom(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
}

/** The first values of a row, without a copy: a second vector may travel behind the update. */
function firstOf(row: Row, count: number): Row {
  if (row.length === count) return row;
  if ('read' in row) return { length: count, read: (start, target) => row.read(start, target) };
  return row.subarray(0, count);
}
