// Attacks that know the default rule or play with its memory, and attackers whose data are as skewed as the others'.
// Usage: node benchmarks/adaptive.ts [--seconds N] [--rules a,b] [--seeds 1,2] [--tables]
// Cells are kept in runs/evidence/adaptive and runs/evidence/skewed, so it can be stopped (--seconds for each of the two)
// and resumed; --tables runs nothing. Both write the tables into docs/explanation/robustness-evidence.md, with a dash for
// what has not been run.
import { adaptiveTable, skewedTable, suspectTable } from './evidence/adaptive-tables.ts';
import { evidenceOf, knownOf } from './evidence/piece.ts';
import { intoPage } from './into-page.ts';

const page = 'docs/explanation/robustness-evidence.md';
const adaptive = await evidenceOf('adaptive');
intoPage(page, 'adaptive', adaptiveTable(adaptive));
intoPage(page, 'suspect', suspectTable(adaptive, await knownOf('robustness')));
intoPage(page, 'skewed', skewedTable(await evidenceOf('skewed')));
