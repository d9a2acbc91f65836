import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Mutant } from './sample.ts';
import type { NearTest } from './test-choice.ts';

export type Verdict = 'killed' | 'survived' | 'timeout' | 'untested' | 'invalid';

/** A verdict, and the file of tests that gave it; without one all tests near the mutant agreed on it. */
type Kept = { readonly verdict: Verdict; readonly by?: string; readonly hash: string };

/**
 * Verdicts of earlier runs: one holds as long as the mutated file and the tests that gave it are unchanged.
 *
 * A change elsewhere in the core does not make a verdict void; `npm run deep` on a fresh clone computes all of them.
 */
export class VerdictCache {
  readonly #path: string | undefined;
  readonly #hashes = new Map<string, string>();
  readonly #kept: Map<string, Kept>;

  constructor(path: string | undefined, texts: ReadonlyMap<string, string>) {
    this.#path = path;
    for (const [file, text] of texts) this.#hashes.set(file, createHash('sha256').update(text).digest('hex'));
    const isThere = path !== undefined && existsSync(path);
    this.#kept = new Map(isThere ? Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, Kept>) : []);
  }

  get(mutant: Mutant, tests: readonly NearTest[]): Verdict | undefined {
    const kept = this.#kept.get(this.#key(mutant));
    return kept !== undefined && kept.hash === this.#hashOf(tests, kept.by) ? kept.verdict : undefined;
  }

  set(
    mutant: Mutant,
    tests: readonly NearTest[],
    { verdict, by }: { readonly verdict: Verdict; readonly by?: string },
  ) {
    const hash = this.#hashOf(tests, by);
    this.#kept.set(this.#key(mutant), { verdict, ...(by === undefined ? {} : { by }), hash });
  }

  write(): void {
    if (this.#path === undefined) return;
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, JSON.stringify(Object.fromEntries(this.#kept)));
  }

  #key(mutant: Mutant): string {
    const { path, start, end, replacement } = mutant;
    const text = `${path}|${start}|${end}|${replacement}|${this.#hashes.get(path)}`;
    return createHash('sha256').update(text).digest('hex').slice(0, 24);
  }

  #hashOf(tests: readonly NearTest[], by: string | undefined): string {
    const text = by === undefined ? tests.map(({ file }) => this.#hashes.get(file)).join() : this.#hashes.get(by);
    return createHash('sha256').update(`${text}`).digest('hex').slice(0, 24);
  }
}
