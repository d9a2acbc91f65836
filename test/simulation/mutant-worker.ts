import { registerHooks } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { Mutant } from './mutants.ts';

// Runs seeds on a code base with a fault in it, until the invariant in question has seen it.
const { edits, seeds, caughtBy, plan } = workerData as Pick<Mutant, 'edits' | 'plan'> & {
  readonly seeds: readonly number[];
  readonly caughtBy?: string;
};
const unused = new Set(edits);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const wanted = edits.filter(({ file }) => url.endsWith(`/${file}`));
    if (wanted.length === 0) return loaded;
    let source = String(loaded.source);
    for (const edit of wanted) {
      if (source.includes(edit.from)) unused.delete(edit);
      source = source.replace(edit.from, edit.to);
    }
    return { ...loaded, source };
  },
});

const { runSeed } = await import('../../src/simulation/world/run-seed.ts');
const { simulatePlan } = await import('../../src/simulation/index.ts');
const { parsePlan } = await import('../../src/core/plan/plan.ts');
const world = (seed: number) =>
  plan === undefined ? runSeed(seed) : simulatePlan({ plan: parsePlan(plan), seed, path: 'whole', faults: 'drawn' });
const seen: { seed: number; invariants: readonly string[] }[] = [];
for (const seed of seeds) {
  const { violations } = await world(seed);
  const invariants = violations.map(({ invariant }) => invariant);
  seen.push({ seed, invariants });
  if (invariants.some((id) => id === caughtBy)) break;
}
parentPort!.postMessage({ seen, stale: [...unused].map(({ from }) => from) });
