import { z } from 'zod';
import type { Deflate } from '../../ports/deflate.ts';
import type { RowWriter } from '../../ports/spool.ts';
import { type Codec, createVectorReader } from '../compression/codec.ts';
import { createPayloadReader } from '../protocol/payload.ts';
import type { Question } from '../plan/histograms.ts';
import { accepted, type Outcome, rejected } from './rejection.ts';
import { checkReports } from './reports.ts';
import type { Metrics, Opened, Update } from './stages.ts';

const examplesMax = 2 ** 40;
/** Far above any loss, and far enough below the end of float64 for the sum over all clients to stay finite. */
const lossSumMax = 2 ** 80;
/** Far above any number of local steps. */
const accumulationMax = 2 ** 40;
const updateMeta = z.strictObject({
  claimedExamples: z.int().min(0).max(examplesMax),
  /** Only where the plan's algorithm divides updates by it. */
  accumulation: z.number().min(1).max(accumulationMax).optional(),
  /** Only where the plan asks for histograms. */
  reports: z.record(z.string().max(64), z.string().max(2048)).optional(),
});
const personalMeta = z.strictObject({
  lossSum: z.number().min(0).max(lossSumMax),
  correctCount: z.int().min(0).max(examplesMax),
});
const metricsMeta = z.strictObject({
  examples: z.int().min(0).max(examplesMax),
  lossSum: z.number().min(0).max(lossSumMax),
  correctCount: z.int().min(0).max(examplesMax),
  personal: personalMeta.optional(),
});

/** What updates of a plan are like. */
export type UpdateShape = {
  /** How many values travel. */
  readonly count: number;
  /** Whether the algorithm divides updates, and so must say by what. */
  readonly isNormalised: boolean;
  /** The questions of the round, under plans with histograms. */
  readonly questions?: readonly Question[];
};

/**
 * Reads an update of the plan's shape from an opened payload into a row, block by block, all values finite.
 *
 * Promises: holds one chunk and one block, whatever the payload says. The row is an update only when the outcome says so.
 */
export async function expandUpdate(
  opened: Opened,
  shape: UpdateShape,
  { codec, deflate }: { readonly codec: Codec; readonly deflate: Deflate },
  row: RowWriter,
): Promise<Outcome<Update>> {
  const payload = createPayloadReader();
  const vector = createVectorReader(codec, shape.count, deflate);
  let claims: Outcome<Claims> | undefined;
  for await (const part of opened.payload()) {
    if (!part.ok) return part;
    const body = payload.push(part.value);
    const meta = payload.meta();
    if (claims === undefined && meta !== undefined) claims = checkClaims(meta.value, shape);
    if (body === undefined || claims?.ok === false) break;
    for (const values of vector.push(body)) {
      const index = firstNotFinite(values);
      if (index !== -1) return rejected('not-finite', `a value is ${values[index]}`);
      await row.append(values);
    }
    if (vector.state() === 'broken') return rejected('wrong-shape', `not ${shape.count} values`);
  }
  if (claims === undefined) return rejected('bad-payload', 'the description of the update');
  if (!claims.ok) return claims;
  if (vector.state() !== 'whole') return rejected('wrong-shape', `not ${shape.count} values`);
  return accepted({ ...claims.value, delta: await row.finish() } as Update);
}

/** Checks an update that came without a seal: so many values, all finite, and claims in their range. */
export function checkUpdate(
  {
    delta,
    ...said
  }: {
    readonly delta: Float32Array;
    readonly claimedExamples: number;
    readonly accumulation?: number;
    readonly reports?: Readonly<Record<string, string>>;
  },
  shape: UpdateShape,
): Outcome<Update> {
  if (delta.length !== shape.count) return rejected('wrong-shape', `not ${shape.count} values`);
  const claims = checkClaims(said, shape);
  if (!claims.ok) return claims;
  const index = firstNotFinite(delta);
  if (index !== -1) return rejected('not-finite', `value ${index} is ${delta[index]}`);
  return accepted({ ...claims.value, delta } as Update);
}

type Claims = Pick<Update, 'claimedExamples' | 'accumulation' | 'reports'>;

/** What an update says of itself, in its range; and of its local steps where the plan asks for them, and only there. */
function checkClaims(said: unknown, { isNormalised, questions = [] }: UpdateShape): Outcome<Claims> {
  const meta = updateMeta.safeParse(said);
  if (!meta.success) return rejected('bad-payload', 'the description of the update');
  const { claimedExamples, accumulation } = meta.data;
  if ((accumulation !== undefined) !== isNormalised) {
    return rejected('bad-payload', isNormalised ? 'no local steps' : 'local steps that nobody asked for');
  }
  const reports = checkReports(meta.data.reports, questions);
  if (!reports.ok) return reports;
  return accepted({ claimedExamples, accumulation: accumulation ?? 1, reports: reports.value });
}

/** x − x is 0 for every finite x and NaN for all others, and so is the sum of these: the common case has no branches. */
function firstNotFinite(values: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    a += values[i]! - values[i]!;
    b += values[i + 1]! - values[i + 1]!;
    c += values[i + 2]! - values[i + 2]!;
    d += values[i + 3]! - values[i + 3]!;
  }
  for (let i = whole; i < values.length; i++) a += values[i]! - values[i]!;
  return a + b + c + d === 0 ? -1 : values.findIndex((value) => !Number.isFinite(value));
}

/** Turns an opened payload into what a client measured. */
export async function expandMetrics(opened: Opened): Promise<Outcome<Metrics>> {
  const payload = createPayloadReader();
  for await (const part of opened.payload()) {
    if (!part.ok) return part;
    if (payload.push(part.value)?.length !== 0) return rejected('bad-payload', 'the metrics');
  }
  return checkMetrics(payload.meta()?.value);
}

/** Checks what a client says it measured. */
export function checkMetrics(claim: unknown): Outcome<Metrics> {
  const meta = metricsMeta.safeParse(claim);
  if (!meta.success) return rejected('bad-payload', 'the metrics');
  const { examples, correctCount, personal } = meta.data;
  if (Math.max(correctCount, personal?.correctCount ?? 0) > examples) {
    return rejected('bad-payload', 'more correct than examples');
  }
  return accepted(meta.data as Metrics);
}
