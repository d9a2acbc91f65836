// ByzFL's published heat map of the geometric median, rebuilt with a smaller network: worst attack by similarity and f.
// Usage: node benchmarks/heatmap.ts [--seconds N] [--seeds 1] [--tables]
// Cells are kept in runs/evidence/heatmap, so it can be stopped and resumed; --tables runs nothing. Both write the table
// into docs/explanation/robustness-evidence.md, with a dash for what has not been run.
import { heatmapTable } from './evidence/heatmap-table.ts';
import { evidenceOf } from './evidence/piece.ts';
import { intoPage } from './into-page.ts';

const table = heatmapTable(await evidenceOf('heatmap'));
console.log(`\n${table}`);
intoPage('docs/explanation/robustness-evidence.md', 'heatmap', table);
