import { z } from 'zod';
import type { Deflate } from '../../ports/deflate.ts';
import type { RowWriter } from '../../ports/spool.ts';
import { type Codec, createVectorReader } from '../compression/codec.ts';
import { createPayloadReader } from '../protocol/payload.ts';
import { accepted, type Outcome, rejected } from './rejection.ts';
import type { Metrics, Opened, Update } from './stages.ts';

const examplesMax = 2 ** 40;
/** Far above any loss, and far enough below the end of float64 for the sum over all clients to stay finite. */
const lossSumMax = 2 ** 80;
const updateMeta = z.strictObject({ claimedExamples: z.int().min(0).max(examplesMax) });
const metricsMeta = z.strictObject({
  examples: z.int().min(0).max(examplesMax),
  lossSum: z.number().min(0).max(lossSumMax),
  correctCount: z.int().min(0).max(examplesMax),
});

/**
 * Reads an update of d finite values from an opened payload into a row, block by block.
 *
 * Promises: holds one chunk and one block, whatever the payload says. The row is an update only when the outcome says so.
 */
export async function expandUpdate(
  opened: Opened,
  shape: { readonly d: number; readonly codec: Codec; readonly deflate: Deflate },
  row: RowWriter,
): Promise<Outcome<Update>> {
  const payload = createPayloadReader();
  const vector = createVectorReader(shape.codec, shape.d, shape.deflate);
  let claim: z.output<typeof updateMeta> | undefined;
  for await (const part of opened.payload()) {
    if (!part.ok) return part;
    const body = payload.push(part.value);
    const meta = payload.meta();
    if (claim === undefined && meta !== undefined) claim = updateMeta.safeParse(meta.value).data;
    if (body === undefined || (claim === undefined && meta !== undefined)) break;
    for (const values of vector.push(body)) {
      const index = firstNotFinite(values);
      if (index !== -1) return rejected('not-finite', `a value is ${values[index]}`);
      await row.append(values);
    }
    if (vector.state() === 'broken') return rejected('wrong-shape', `not ${shape.d} values`);
  }
  if (claim === undefined) return rejected('bad-payload', 'the description of the update');
  if (vector.state() !== 'whole') return rejected('wrong-shape', `not ${shape.d} values`);
  return accepted({ delta: await row.finish(), claimedExamples: claim.claimedExamples } as Update);
}

/** Checks an update that came without a seal: d values, all finite, and a claim that is a count. */
export function checkUpdate(
  { delta, claimedExamples }: { readonly delta: Float32Array; readonly claimedExamples: number },
  d: number,
): Outcome<Update> {
  if (delta.length !== d) return rejected('wrong-shape', `not ${d} values`);
  if (!updateMeta.safeParse({ claimedExamples }).success) return rejected('bad-payload', 'the claimed examples');
  const index = firstNotFinite(delta);
  if (index !== -1) return rejected('not-finite', `value ${index} is ${delta[index]}`);
  return accepted({ delta, claimedExamples } as Update);
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
  if (meta.data.correctCount > meta.data.examples) return rejected('bad-payload', 'more correct than examples');
  return accepted(meta.data as Metrics);
}
