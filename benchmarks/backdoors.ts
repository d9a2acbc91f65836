// What a detector hardly sees: how often backdoors open, and what stealthy attacks cost where no detector acts.
// Usage: node benchmarks/backdoors.ts [--seconds N] [--rules a,b] [--seeds 1,2] [--tables]
// Cells are kept in runs/evidence/backdoors; losses of mimic and label flip are read from runs/evidence/robustness. Both
// tables go into docs/explanation/robustness-evidence.md, with a dash for what has not been run.
import { evidenceOf, knownOf } from './evidence/piece.ts';
import { backdoorTable, lossTable } from './evidence/stealth-tables.ts';
import { intoPage } from './into-page.ts';

const page = 'docs/explanation/robustness-evidence.md';
const record = await evidenceOf('backdoors');
const success = backdoorTable(record);
const losses = lossTable(record, await knownOf('robustness'));
console.log(`\n${success}\n\n${losses}`);
intoPage(page, 'backdoors', success);
intoPage(page, 'stealth', losses);
