import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { decodeSafetensors, valuesFor } from '../../core/model/safetensors.ts';
import { type Manifest, tensor } from '../../core/model/manifest.ts';
import { Failure } from '../failure.ts';

/** Rows to aggregate, by client, and the tensors they are made of when they came as models. */
export type Input = {
  readonly clientIds: readonly string[];
  readonly rows: readonly (readonly number[])[] | readonly Float32Array[];
  readonly manifest: Manifest | null;
  readonly weights?: readonly number[] | undefined;
  readonly reference?: ArrayLike<number> | undefined;
};

// JSON has no NaN and no infinity: they are written as words, so that a row with them can be given and dropped.
const words: Record<string, number> = { NaN: Number.NaN, Infinity: Infinity, '-Infinity': -Infinity };
const number = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform((word) => words[word]!)]);
const matrix = z.array(z.array(number).min(1)).min(1);
const document = z.union([
  matrix.transform((rows) => ({ rows })),
  z.strictObject({
    rows: matrix,
    clientIds: z.array(z.string()).optional(),
    weights: z.array(z.number()).optional(),
    reference: z.array(z.number()).optional(),
  }),
]);

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
    rows: files.map((file) => valuesFor(manifest, file)),
    manifest,
    reference: reference === undefined ? undefined : valuesFor(manifest, reference),
  };
}

async function readModel(path: string): Promise<ReturnType<typeof decodeSafetensors>> {
  if (path.endsWith('.json')) {
    throw new Failure(
      'plan',
      `Cannot read ${path} as rows in JSON must be one file alone: current value is several files`,
    );
  }
  try {
    return decodeSafetensors(await readFile(path));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Failure('plan', `Cannot read ${path}: ${error.message}`);
  }
}

async function readDocument(path: string): Promise<Input> {
  let text: unknown;
  try {
    text = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Failure('plan', `Cannot read ${path} as it must be a JSON document: ${(error as Error).message}`);
  }
  const parsed = document.safeParse(text);
  if (!parsed.success) {
    const wish = 'rows of numbers, or { rows, clientIds?, weights?, reference? }';
    throw new Failure('plan', `Cannot read ${path} as it must hold ${wish}: ${z.prettifyError(parsed.error)}`);
  }
  const { rows, ...rest } = parsed.data;
  return { clientIds: rows.map((_, i) => String(i)), ...rest, rows, manifest: null } as Input;
}
