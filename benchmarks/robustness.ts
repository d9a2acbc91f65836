// The robustness table: partitions × attacks × rules × seeds, and what of it meets its goal.
// Usage: node benchmarks/robustness.ts [--seconds N] [--rules a,b] [--seeds 1,2] [--tables]
// Cells are kept in runs/evidence/robustness, so it can be stopped (--seconds) and resumed; --tables runs nothing. Both
// write the tables into docs/explanation/robustness-evidence.md, with a dash for what has not been run.
import { evidenceOf } from './evidence/piece.ts';
import { byAttack, ofPolicy, reproduction, retention, worstByRule } from './evidence/tables.ts';
import { intoPage } from './into-page.ts';

const page = 'docs/explanation/robustness-evidence.md';
const policy = 'watchful';
const record = await evidenceOf('robustness');
intoPage(page, 'policy', ofPolicy(record, policy));
intoPage(page, 'policy by attack', byAttack(record, policy));
intoPage(page, 'rules', worstByRule(record));
intoPage(page, 'reproduction', reproduction(record));
intoPage(page, 'retention', retention(record, policy));
