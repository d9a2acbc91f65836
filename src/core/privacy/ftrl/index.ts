import { bandedStrategy } from './banded-strategy.ts';
import type { Strategy, StrategyOptions } from './strategy.ts';
import { treeStrategy } from './tree-strategy.ts';

/** How noise cancels over rounds, by the plan's name for it. A new one is one file and one line. */
export const STRATEGIES = {
  tree: treeStrategy,
  banded: bandedStrategy,
} as const satisfies Record<string, (options: StrategyOptions) => Strategy>;

export type StrategyId = keyof typeof STRATEGIES;
export const strategyIds = Object.keys(STRATEGIES) as [StrategyId, ...StrategyId[]];
