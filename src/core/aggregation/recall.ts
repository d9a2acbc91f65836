import { cosineOf, dotOf, minus, sketchSize } from '../detection/measure/sketch.ts';
import { sketchesOf } from '../detection/measure/sketch-pass.ts';
import type { Row } from '../../ports/compute.ts';

/** What a rule keeps from round to round: one vector by client, in the order of the layout below. */
export type RuleMemory = Readonly<Record<string, Float32Array>>;

/** What memory says of the rows of a round. */
export type Recall = {
  readonly answers: Answers;
  readonly next: RuleMemory;
};

/** How each client's pull has answered to the way of the model, by row, from −1 to 1; NaN before enough participations. */
export type Answers = {
  /** Since its first participation. */
  readonly lasting: Float64Array;
  /** Since one of four to twelve participations ago: who was honest at first and has turned since is seen here. */
  readonly recent: Float64Array;
};

/**
 * What recall found out of rows before, by the row itself: for a caller that tries many cohorts in one round and changes no
 * row in between, as an attacker does that searches against the rule.
 */
export type RecallCache = WeakMap<Row, Found>;

type Found = {
  readonly sketch: Float32Array;
  /** What a client keeps that kept this before, and sends the row against this model. */
  readonly kept: Map<Float32Array | undefined, { readonly model: Float32Array; readonly kept: Float32Array }>;
};

/** Participations after the first before a client's answers count: the first of them are little but noise. */
const ripeCount = { lasting: 15, recent: 3 } as const;
/** How much of the average an answer leaves as it was: recent answers are noisier, as the model has moved less. */
const keep = { lasting: 0.8, recent: 0.9 } as const;
/** What is left of the worst recent average after one more participation. */
const forgiving = 0.99;
/** Participations between two recent references, and how old one must be to be compared with. */
const [renewal, ageMin] = [8, 4];

/** A direction and the model that it was made from, where they stand in the memory of a client. */
const pairSize = 2 * sketchSize;
const [first, older, newer] = [0, pairSize, 2 * pairSize];
const lastingAt = 3 * pairSize;
const [recentAt, worstAt, countAt, memorySize] = [lastingAt + 1, lastingAt + 2, lastingAt + 3, lastingAt + 4] as const;

/**
 * Whether each client still pulls as somebody does who wants the model where it went.
 *
 * Formula:   u_s, w_s the direction of an earlier update of a client and the model that it was made from; then for each
 *            later one c = cos(u_s − u_t, w_t − w_s), averaged with weights 0.8^k. For gradients of a convex loss
 *            ⟨∇f(w_t) − ∇f(w_s), w_t − w_s⟩ ≥ 0 whatever the data: as the model moves, an honest pull along its way
 *            falls, so c is positive, and of an update that is turned around it is negative. s is the first participation
 *            (lasting) and one of 4 to 12 participations ago (recent): against an honest first one, one that has turned
 *            since looks like a pull that fell.
 * Shapes:    n rows of d and the model [d], by sketches of 512 numbers → n answers of each kind; 12 KiB by client are kept.
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
  readonly cache?: RecallCache | undefined;
}): Promise<Recall> {
  const { rows, clientIds, base, memory, seed, cache = new WeakMap() } = round;
  await sketchMissing([...rows, base], seed, cache);
  const model = cache.get(base)!.sketch;
  const none = () => new Float64Array(rows.length).fill(Number.NaN);
  const answers: Answers = { lasting: none(), recent: none() };
  const next: Record<string, Float32Array> = { ...memory };
  for (const [i, row] of rows.entries()) {
    const name = nameOf(clientIds[i]!);
    const kept = keptOf(cache.get(row)!, memory[name], model);
    if (kept === null) continue;
    next[name] = kept;
    if (kept[countAt]! >= ripeCount.lasting) answers.lasting[i] = kept[lastingAt]!;
    if (kept[countAt]! >= ripeCount.recent) answers.recent[i] = kept[worstAt]!;
  }
  return { answers, next };
}

/** Sketches the rows that the cache does not hold, each once. */
async function sketchMissing(rows: readonly Row[], seed: number, cache: RecallCache): Promise<void> {
  const missing = [...new Set(rows)].filter((row) => !cache.has(row));
  const sketches = await sketchesOf(missing, seed);
  for (const [i, row] of missing.entries()) cache.set(row, { sketch: sketches[i]!, kept: new Map() });
}

/** What a client keeps after this row; null where the row has no direction. */
function keptOf(found: Found, past: Float32Array | undefined, model: Float32Array): Float32Array | null {
  const known = found.kept.get(past);
  if (known !== undefined && known.model === model) return known.kept;
  const direction = directionOf(found.sketch);
  if (direction === null) return null;
  // What an earlier release kept has another length: the client begins anew.
  const kept = past?.length === memorySize ? withAnswer(past, direction, model) : firstOf(direction, model);
  found.kept.set(past, { model, kept });
  return kept;
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
  const kept = new Float32Array(memorySize);
  for (const at of [first, older, newer]) setPair(kept, at, direction, model);
  return kept;
}

function setPair(kept: Float32Array, at: number, direction: Float32Array, model: Float32Array): void {
  kept.set(direction, at);
  kept.set(model, at + sketchSize);
}

function withAnswer(past: Float32Array, direction: Float32Array, model: Float32Array): Float32Array {
  const count = past[countAt]! + 1;
  const age = count % renewal;
  const kept = past.slice();
  const averaged = (at: number, reference: number, share: number) => {
    const answer = answerTo(past, reference, direction, model);
    kept[at] = count === 1 ? answer : share * past[at]! + (1 - share) * answer;
  };
  averaged(lastingAt, first, keep.lasting);
  averaged(recentAt, age > 0 && age < ageMin ? older : newer, keep.recent);
  if (age === 0) {
    kept.copyWithin(older, newer, newer + pairSize);
    setPair(kept, newer, direction, model);
  }
  const worst = forgiving * past[worstAt]!;
  kept[worstAt] = count < ripeCount.recent ? 0 : Math.min(kept[recentAt]!, worst);
  kept[countAt] = count < 1 << 20 ? count : count - renewal;
  return kept;
}

/** The answer to the way since a reference. */
function answerTo(past: Float32Array, at: number, direction: Float32Array, model: Float32Array): number {
  const turned = minus(past.subarray(at, at + sketchSize), direction);
  const moved = minus(model, past.subarray(at + sketchSize, at + pairSize));
  return cosineOf(turned, moved);
}
