import { z } from 'zod';
import type { Deflate } from '../../ports/deflate.ts';
import type { Codec } from '../compression/codec.ts';
import { decodePayload } from '../protocol/payload.ts';
import { accepted, type Outcome, rejected } from './rejection.ts';
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
};

/** Turns an opened payload into an update of the plan's shape, all values finite. */
export function expandUpdate({ payload }: Opened, shape: UpdateShape, codec: Codec, deflate: Deflate): Outcome<Update> {
  const parts = decodePayload(payload);
  const meta = updateMeta.safeParse(parts?.meta);
  if (parts === undefined || !meta.success) return rejected('bad-payload', 'the description of the update');
  const delta = codec.decode(parts.body, shape.count, deflate);
  return checkUpdate({ ...meta.data, delta }, shape);
}

/** Checks what an update says once it is out of its seal: so many values, all finite, and claims in their range. */
export function checkUpdate(
  {
    delta,
    ...claims
  }: {
    readonly delta: Float32Array | undefined;
    readonly claimedExamples: number;
    readonly accumulation?: number | undefined;
  },
  { count, isNormalised }: UpdateShape,
): Outcome<Update> {
  if (delta?.length !== count) return rejected('wrong-shape', `not ${count} values`);
  const meta = updateMeta.safeParse(claims);
  if (!meta.success) return rejected('bad-payload', 'the claims of the update');
  const { claimedExamples, accumulation } = meta.data;
  if ((accumulation !== undefined) !== isNormalised) {
    return rejected('bad-payload', isNormalised ? 'no local steps' : 'local steps that nobody asked for');
  }
  const index = firstNotFinite(delta);
  if (index !== -1) return rejected('not-finite', `value ${index} is ${delta[index]}`);
  return accepted({ delta, claimedExamples, accumulation: accumulation ?? 1 } as Update);
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
export function expandMetrics({ payload }: Opened): Outcome<Metrics> {
  const parts = decodePayload(payload);
  if (parts === undefined || parts.body.length > 0) return rejected('bad-payload', 'the metrics');
  return checkMetrics(parts.meta);
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
