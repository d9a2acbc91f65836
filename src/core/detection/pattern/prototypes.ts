import type { PatternTable } from './pattern-table.ts';

export const patternTable: PatternTable = { labels: [], attacks: [], radii: {}, points: '' };
