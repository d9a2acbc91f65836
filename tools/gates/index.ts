import { audit } from './audit.ts';
import { borders } from './borders.ts';
import { format, lint, types } from './commands.ts';
import { docs } from './docs-blocks.ts';
import type { Gate } from './gate.ts';
import { lockfile } from './lockfile.ts';
import { performanceGate } from './performance.ts';
import { secrets } from './secrets.ts';
import { tests } from './tests.ts';
import { tidy } from './tidy.ts';
import { unused } from './unused.ts';

/** Every gate, the quick ones first: an early failure is an early answer. */
export const gates: readonly Gate[] = [
  format,
  lint,
  types,
  borders,
  tidy,
  secrets,
  lockfile,
  audit,
  unused,
  tests,
  docs,
  performanceGate,
];
