import { cosineOf, dotOf, minus, sketchSize } from '../detection/measure/sketch.ts';
import { sketchesOf } from '../detection/measure/sketch-pass.ts';
import type { Row } from '../../ports/compute.ts';

/** What a rule keeps from round to round: one vector by client, in the order of the layout below. */
export type RuleMemory = Readonly<Record<string, Float32Array>>;

/** What memory says of the rows of a round. */
export type Recall = {
  /** How a client's pull has answered to the way the model has gone, from −1 to 1; NaN before enough participations. */
  readonly answers: Float64Array;
  readonly next: RuleMemory;
};

/** Participations after the first before a client's answers count: the first of them are little but noise. */
const ripeCount = 15;
/** How much of the average an answer leaves as it was. */
const keep = 0.8;
const [modelStart, averageAt, countAt] = [sketchSize, 2 * sketchSize, 2 * sketchSize + 1];

/**
 * Whether each client still pulls as somebody does who wants the model where it went.
 *
 * Formula:   u_s, w_s the direction of a client's first update and the model that it was made from; then for each later
 *            one c = cos(u_s − u_t, w_t − w_s), averaged with weights 0.8^k. For gradients of a convex loss
 *            ⟨∇f(w_t) − ∇f(w_s), w_t − w_s⟩ ≥ 0 whatever the data: as the model moves, an honest pull along its way
 *            falls, so c is positive, and of an update that is turned around it is negative.
 * Shapes:    n rows of d and the model [d], by sketches of 512 numbers → n answers; 4 KiB by client are kept.
 * Needs:     names of clients that last. Directions, and not lengths, since first messages under momentum are short.
 * Promises:  a function of rows, model and memory. Nothing is proven where the loss is not convex, or under noise.
 * Cost:      one reading of the data, in plain loops.
 * Source:    ours; monotone gradients are textbook (Nesterov 2004, section 2.1). Thresholds: watchful.ts.
 */
export async function recall(round: {
  readonly rows: readonly Row[];
  readonly clientIds: readonly string[];
  readonly base: Row;
  readonly memory: RuleMemory;
  readonly seed: number;
}): Promise<Recall> {
  const { rows, clientIds, base, memory, seed } = round;
  const sketches = await sketchesOf([...rows, base], seed);
  const model = sketches.pop()!;
  const answers = new Float64Array(rows.length).fill(Number.NaN);
  const next: Record<string, Float32Array> = { ...memory };
  for (const [i, sketch] of sketches.entries()) {
    const name = nameOf(clientIds[i]!);
    const direction = directionOf(sketch);
    if (direction === null) continue;
    const past = memory[name];
    next[name] = past === undefined ? firstOf(direction, model) : withAnswer(past, direction, model);
    if (next[name][countAt]! >= ripeCount) answers[i] = next[name][averageAt]!;
  }
  return { answers, next };
}

/** A client's name as that of a vector in a file. */
function nameOf(clientId: string): string {
  return `client/${clientId}`;
}

/** The sketch at length one; null for an update of nothing, or of nothing that a float32 can hold. */
function directionOf(sketch: Float32Array): Float32Array | null {
  const length = Math.sqrt(dotOf(sketch, sketch));
  return length > 0 && Number.isFinite(length) ? sketch.map((value) => value / length) : null;
}

function firstOf(direction: Float32Array, model: Float32Array): Float32Array {
  const kept = new Float32Array(countAt + 1);
  kept.set(direction);
  kept.set(model, modelStart);
  return kept;
}

function withAnswer(past: Float32Array, direction: Float32Array, model: Float32Array): Float32Array {
  const turned = minus(past.subarray(0, sketchSize), direction);
  const moved = minus(model, past.subarray(modelStart, averageAt));
  const answer = cosineOf(turned, moved);
  const kept = past.slice();
  const count = past[countAt]!;
  kept[averageAt] = count === 0 ? answer : keep * past[averageAt]! + (1 - keep) * answer;
  kept[countAt] = Math.min(count + 1, 1 << 20);
  return kept;
}
