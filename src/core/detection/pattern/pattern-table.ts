import type { PatternId } from './pattern.ts';

/** How attacks looked in calibration: each way in which each attack looked, by partition and time. */
export type PatternTable = {
  readonly labels: readonly PatternId[];
  /** Of each prototype: the attack it was learned from. */
  readonly attacks: readonly string[];
  /** By label: no farther from a prototype does an attack of its kind lie, but for one in fifty. */
  readonly radii: Readonly<Partial<Record<PatternId, number>>>;
  /** Signatures of the prototypes, fiftieths in int8, base64. */
  readonly points: string;
};

const stepsPerUnit = 50;
/** Beyond this a number of a signature says no more. */
export const signatureMax = 2.5;

/** Prototypes as text: whole fiftieths in int8, base64. */
export function writePoints(points: readonly ArrayLike<number>[]): string {
  const values = points.flatMap((point) => Array.from(point, (value) => Math.round(stepsPerUnit * value)));
  return new Uint8Array(Int8Array.from(values).buffer).toBase64();
}

/** Prototypes from their text, each of `width` numbers. */
export function readPoints(text: string, width: number): Float64Array[] {
  const values = new Int8Array(Uint8Array.fromBase64(text).buffer);
  return Array.from({ length: values.length / width }, (_, i) =>
    Float64Array.from(values.subarray(i * width, (i + 1) * width), (value) => value / stepsPerUnit),
  );
}
