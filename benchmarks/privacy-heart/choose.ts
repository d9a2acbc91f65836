import { heartPlan } from '../../examples/heart-disease/heart-data.ts';
import { accuracyOf, type Budget, type Setting } from './federation.ts';
import { syntheticSites } from './synthetic.ts';

const federations = 12;
const everybody = 200;

/** Rounds, batch, rate and clip that are tried, the smallest rate first: among equals it is taken. */
function* settings(): Generator<Setting> {
  for (const rounds of [1, 3, 8]) {
    for (const batch of [60, everybody]) {
      for (const rate of [0.03, 0.1, 0.3, 1]) {
        for (const clip of [0.5, 1]) yield { rounds, batch, rate, clip };
      }
    }
  }
}

export type Scored = { readonly setting: Setting; readonly mean: number; readonly error: number };

/** Every setting on the same made-up federations, the best first. No real row is read. */
export async function chooseOnSynthetic(budget: Budget): Promise<readonly Scored[]> {
  const worlds = Array.from({ length: federations }, (_, i) => syntheticSites(1000 + i));
  const scored: Scored[] = [];
  for (const setting of settings()) {
    const found = await Promise.all(
      worlds.map((sites, i) => accuracyOf(heartPlan.model, sites, setting, { budget, seed: 1000 + i })),
    );
    const mean = found.reduce((sum, one) => sum + one, 0) / federations;
    const square = found.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (federations - 1);
    scored.push({ setting, mean, error: Math.sqrt(square / federations) });
  }
  return scored.sort((a, b) => b.mean - a.mean);
}
