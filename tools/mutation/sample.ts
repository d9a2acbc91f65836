import { createHash } from 'node:crypto';
import { stripTypeScriptTypes } from 'node:module';
import type { SourceFile } from '../gates/source-files.ts';
import { type Mutation, mutationsOf } from './mutators.ts';

/** A mutation of a file. The id depends on the seed, the file's path and the code around it, not on other files. */
export type Mutant = Mutation & { readonly path: string; readonly id: string; readonly code: string };

/** Every mutant of these files that is still JavaScript, with its id under a seed. */
export function mutantsOf(files: readonly SourceFile[], seed: number): readonly Mutant[] {
  return files.flatMap(({ path, source }) => {
    const code = stripTypeScriptTypes(source);
    if (code.length !== source.length)
      throw new Error(`Cannot mutate ${path} as stripping must keep places: it does not`);
    const seen = new Map<string, number>();
    return mutationsOf(code).map((mutation): Mutant => {
      const lineText = lineAt(code, mutation.start).trim();
      const key = `${seed}|${path}|${mutation.mutator}|${mutation.replacement}|${lineText}`;
      const count = (seen.get(key) ?? 0) + 1;
      seen.set(key, count);
      const id = createHash('sha256').update(`${key}|${count}`).digest('hex');
      return { ...mutation, path, id, code: lineText };
    });
  });
}

/** The n mutants with the smallest ids: a uniform sample that a change of one file hardly moves. */
export function sampleOf(mutants: readonly Mutant[], n: number): readonly Mutant[] {
  return [...mutants].sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, n);
}

/** The module with the mutation in it, or undefined where that is no JavaScript: what is not proves nothing. */
export function mutatedSource(source: string, { start, end, replacement }: Mutation): string | undefined {
  const code = stripTypeScriptTypes(source);
  try {
    const changed = code.slice(0, start) + replacement + code.slice(end);
    stripTypeScriptTypes(changed);
    return changed;
  } catch {
    return undefined;
  }
}

function lineAt(code: string, place: number): string {
  const from = code.lastIndexOf('\n', place - 1) + 1;
  const to = code.indexOf('\n', place);
  return code.slice(from, to === -1 ? code.length : to);
}
