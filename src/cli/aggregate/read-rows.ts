import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { decodeSafetensors, valuesFor } from '../../core/model/safetensors.ts';
import { type Manifest, tensor } from '../../core/model/manifest.ts';
import { Failure } from '../failure.ts';

/** Rows to aggregate, by client, and the tensors they are made of when they came as models. */
export type Input = {
  readonly clientIds: readonly string[];
  /** False where nobody named them: the order of the rows counts then, and row 10 comes after row 9. */
  readonly isNamed: boolean;
  readonly rows: readonly (readonly number[])[] | readonly Float32Array[];
  readonly manifest: Manifest | null;
  readonly weights?: readonly number[] | undefined;
  readonly reference?: ArrayLike<number> | undefined;
  readonly root?: readonly number[] | undefined;
  readonly history?: readonly (readonly number[])[] | undefined;
};

// JSON has no NaN and no infinity: they are written as words, so that a row with them can be given and dropped.
const words: Record<string, number> = { NaN: Number.NaN, Infinity: Infinity, '-Infinity': -Infinity };
const number = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform((word) => words[word]!)], {
  error: ({ input }) => `must be a number, "NaN", "Infinity" or "-Infinity": current value is ${JSON.stringify(input)}`,
});
const vector = z.array(z.number());
const row = z
  .array(number, { error: ({ input }) => `must be an array of numbers: current value is ${JSON.stringify(input)}` })
  .min(1, 'must hold at least one number: current value has 0');
const matrix = z.array(row, 'must be an array of rows').min(1, 'must hold at least one row: current value has 0');
const document = z.strictObject({
  rows: matrix,
  clientIds: z.array(z.string()).optional(),
  weights: vector.optional(),
  reference: vector.optional(),
  root: vector.optional(),
  history: z.array(vector).optional(),
});

/** Reads one JSON document, or one safetensors file per client (its name is the client's). */
export async function readInput(paths: readonly string[], referencePath: string | undefined): Promise<Input> {
  const [first] = paths;
  if (first !== undefined && paths.length === 1 && first.endsWith('.json')) {
    if (referencePath !== undefined)
      throw new Failure('plan', 'Cannot use --reference as a JSON document holds its own');
    return readDocument(first);
  }
  const files = await Promise.all(paths.map(readModel));
  const manifest = files[0]!.tensors.map(({ name, shape }) => tensor(name, ...shape));
  const reference = referencePath === undefined ? undefined : await readModel(referencePath);
  const names = paths.map((path) => basename(path, '.safetensors'));
  return {
    // Models of one name in several folders are told apart by their paths.
    clientIds: new Set(names).size === names.length ? names : paths,
    isNamed: true,
    rows: files.map((file, i) => valuesIn(paths[i]!, manifest, file)),
    manifest,
    reference: reference === undefined ? undefined : valuesIn(referencePath!, manifest, reference),
  };
}

function valuesIn(path: string, manifest: Manifest, file: ReturnType<typeof decodeSafetensors>): Float32Array {
  return naming(path, () => valuesFor(manifest, file));
}

/** What is wrong with a file names it. */
function naming<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Failure('plan', `Cannot read ${path}: ${error.message}`);
  }
}

async function readModel(path: string): Promise<ReturnType<typeof decodeSafetensors>> {
  if (path.endsWith('.json')) {
    throw new Failure(
      'plan',
      `Cannot read ${path} as rows in JSON must be one file alone: current value is several files`,
    );
  }
  const bytes = await readFile(path);
  return naming(path, () => decodeSafetensors(bytes));
}

async function readDocument(path: string): Promise<Input> {
  const json = parseJson(path, await textOf(path));
  const parsed = document.safeParse(Array.isArray(json) ? { rows: json } : json);
  if (!parsed.success) {
    const { path: place, message } = parsed.error.issues[0]!;
    const wish = 'rows of numbers, or { rows, clientIds?, weights?, reference?, root?, history? }';
    throw new Failure('plan', `Cannot read ${path} as it must hold ${wish}: ${place.join('.')} ${message}`);
  }
  const { rows, clientIds, ...rest } = parsed.data;
  const names = clientIds ?? rows.map((_, i) => String(i));
  return { ...rest, clientIds: names, isNamed: clientIds !== undefined, rows, manifest: null };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Failure('plan', `Cannot read ${path} as there is no such file`);
    if (code?.startsWith('E') === true && !code.startsWith('ERR_')) throw error;
    const size = (await stat(path)).size;
    throw new Failure(
      'plan',
      `Cannot read ${path} as JSON must be below 512 MB (larger rows: one safetensors file per client): current value is ${Math.round(size / 1e6)} MB`,
    );
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const hint = /[[,\s](NaN|-?Infinity)\b/.test(text) ? ' (write "NaN" and "Infinity" in quotes)' : '';
    const fault = text.trim() === '' ? 'it is empty' : (error as Error).message;
    throw new Failure('plan', `Cannot read ${path} as it must be a JSON document: ${fault}${hint}`);
  }
}
