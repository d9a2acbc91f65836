import type {
  ColumnRule,
  Combined,
  Compute,
  DistancePass,
  GramPass,
  Mixing,
  OutputOptions,
  Row,
  SignPass,
  StarPass,
  Vector,
} from '../../ports/compute.ts';
import { centreMembers } from './centring.ts';
import { columnValue } from './column-rules.ts';
import { eachTile, findNonFinite, isDouble } from './tiles.ts';

const tileWidth = 1024;

/**
 * The kernels in plain TypeScript: the oracle that every fast path is tested against, and the path of float64 input.
 * All arithmetic is float64; float32 rows give a float32 vector, rounded once.
 */
export function createReferenceCompute(): Compute {
  return {
    name: 'reference',
    allocate: (count, length) => ({
      rows: Array.from({ length: count }, () => new Float32Array(length)),
      release: () => undefined,
    }),
    gram: gramReference,
    star: starReference,
    distances: distancesReference,
    combine: combineReference,
    columns: columnsReference,
    signs: signsReference,
  };
}

async function gramReference(rows: readonly Row[]): Promise<GramPass> {
  const n = rows.length;
  const centred = new Float64Array(n * n);
  const centreDots = new Float64Array(n);
  let centreNorm2 = 0;
  await eachTile(rows, tileWidth, (tile) => {
    const centre = centreInPlace(tile);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) centred[i * n + j]! += dot(tile[i]!, tile[j]!);
      centreDots[i]! += dot(tile[i]!, centre);
    }
    centreNorm2 += dot(centre, centre);
  });
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) centred[j * n + i] = centred[i * n + j]!;
  const isFinite = centreNorm2 < 1e300 && centred.every((value) => Math.abs(value) < 1e299);
  return { centred, centreDots, centreNorm2, nonFinite: isFinite ? [] : await findNonFinite(rows) };
}

/** Subtracts the mean of the members of the centre from each row and returns it. */
function centreInPlace(tile: readonly Float64Array[]): Float64Array {
  const isMember = centreMembers(Float64Array.from(tile, (row) => dot(row, row)));
  const members = tile.filter((_, i) => isMember[i] === 1);
  const centre = Float64Array.from(tile[0]!, (_, k) => coarseMean(members, k));
  for (const row of tile) for (let k = 0; k < centre.length; k++) row[k]! -= centre[k]!;
  return centre;
}

/** Bits of the spread of the members that their mean keeps. */
const centreBits = 6;

/**
 * The mean of the k-th values to a few binary digits of their spread. Any centre does as long as it is near; one with few
 * digits leaves the differences of values with few digits exact, so that distances that are equal come out equal, and ties
 * go to the lowest row.
 */
function coarseMean(members: readonly Float64Array[], k: number): number {
  let [least, most, mean] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const member of members) {
    const value = member[k]!;
    [least, most] = [Math.min(least, value), Math.max(most, value)];
    mean += value / members.length;
  }
  if (!(most > least)) return most === least ? most : mean;
  const grid = 2 ** (Math.floor(Math.log2(most - least)) - centreBits);
  const rounded = Math.round(mean / grid) * grid;
  return Number.isFinite(rounded) ? rounded : mean;
}

async function starReference(rows: readonly Row[], reference: Row | null): Promise<StarPass> {
  const n = rows.length;
  const norms2 = new Float64Array(n);
  const referenceDots = reference === null ? null : new Float64Array(n);
  const referenceDistances2 = reference === null ? null : new Float64Array(n);
  let referenceNorm2 = 0;
  await eachTile(reference === null ? rows : [...rows, reference], tileWidth, (tile) => {
    const other = tile[n];
    if (other !== undefined) referenceNorm2 += dot(other, other);
    for (const [i, row] of tile.slice(0, n).entries()) {
      norms2[i]! += dot(row, row);
      if (other === undefined) continue;
      for (const [k, value] of row.entries()) {
        referenceDots![i]! += value * other[k]!;
        referenceDistances2![i]! += (value - other[k]!) ** 2;
      }
    }
  });
  const nonFinite = norms2.every((value) => value < 1e300) ? [] : await findNonFinite(rows);
  return { norms2, referenceDots, referenceDistances2, referenceNorm2, nonFinite };
}

async function distancesReference(
  rows: readonly Row[],
  weights: Float64Array,
  scales: Float64Array,
): Promise<DistancePass> {
  const distances2 = new Float64Array(rows.length);
  await eachTile(rows, tileWidth, (tile) => {
    const v = summed(tile, weights, new Float64Array(tile[0]!.length));
    for (const [i, row] of tile.entries()) {
      for (const [k, value] of row.entries()) distances2[i]! += (scales[i]! * value - v[k]!) ** 2;
    }
  });
  const isFinite = distances2.every((value) => value < 1e300);
  return { distances2, nonFinite: isFinite ? [] : await findNonFinite(rows) };
}

async function combineReference(
  rows: readonly Row[],
  weights: Float64Array,
  options: OutputOptions,
): Promise<Combined> {
  return eachOutput(rows, options, (tile, output) => void summed(tile, weights, output));
}

/** Adds Σ w_i x_i to an output. */
function summed(tile: readonly Float64Array[], weights: Float64Array, output: Float64Array): Float64Array {
  for (const [i, row] of tile.entries()) {
    const weight = weights[i]!;
    if (weight === 0) continue;
    for (let k = 0; k < output.length; k++) output[k]! += weight * row[k]!;
  }
  return output;
}

async function columnsReference(
  rows: readonly Row[],
  mixing: Mixing | null,
  rule: ColumnRule,
  options: OutputOptions,
): Promise<Combined> {
  return eachOutput(rows, options, (tile, output) => {
    columnsOfTile(mixing === null ? tile : mixTile(tile, mixing), rule, output);
  });
}

/** Fills `output` with the column rule over the rows of a tile. */
export function columnsOfTile(tile: readonly Float64Array[], rule: ColumnRule, output: Float64Array): void {
  const values = new Float64Array(tile.length);
  const scratch = new Float64Array(tile.length);
  for (let k = 0; k < output.length; k++) {
    for (let i = 0; i < tile.length; i++) values[i] = tile[i]![k]!;
    output[k] = columnValue(values, scratch, rule);
  }
}

/** y_a = Σ_i matrix[a, i] x_i on one tile. */
export function mixTile(tile: readonly Float64Array[], mixing: Mixing): Float64Array[] {
  const n = tile.length;
  return Array.from({ length: mixing.count }, (_, a) => {
    const mixed = new Float64Array(tile[0]!.length);
    for (let i = 0; i < n; i++) {
      const weight = mixing.matrix[a * n + i]!;
      if (weight === 0) continue;
      for (let k = 0; k < mixed.length; k++) mixed[k]! += weight * tile[i]![k]!;
    }
    return mixed;
  });
}

async function eachOutput(
  rows: readonly Row[],
  options: OutputOptions,
  fill: (tile: readonly Float64Array[], output: Float64Array) => void,
): Promise<Combined> {
  const d = rows[0]!.length;
  const vector = isDouble(rows) ? new Float64Array(d) : (options.into ?? new Float32Array(d));
  const norms2 = options.dots ? new Float64Array(rows.length) : null;
  const dots = options.dots ? new Float64Array(rows.length) : null;
  let isFinite = true;
  await eachTile(rows, tileWidth, (tile, start) => {
    const output = new Float64Array(tile[0]!.length);
    fill(tile, output);
    vector.set(output, start);
    for (const [i, row] of tile.entries()) {
      isFinite &&= row.every(Number.isFinite);
      if (norms2 !== null && dots !== null) {
        norms2[i]! += dot(row, row);
        dots[i]! += dot(row, output);
      }
    }
  });
  return { vector, norms2, dots, nonFinite: isFinite ? [] : await findNonFinite(rows) };
}

async function signsReference(rows: readonly Row[]): Promise<SignPass> {
  const positives = new Float64Array(rows.length);
  const negatives = new Float64Array(rows.length);
  await eachTile(rows, tileWidth, (tile) => {
    for (const [i, row] of tile.entries()) {
      for (const value of row) {
        if (value > 0) positives[i]! += 1;
        else if (value < 0) negatives[i]! += 1;
      }
    }
  });
  return { positives, negatives };
}

function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}
