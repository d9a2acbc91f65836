import { arc } from './arc.ts';
import { bucketing } from './bucketing.ts';
import { bulyan } from './bulyan.ts';
import { caf } from './caf.ts';
import { centeredClipping } from './centered-clipping.ts';
import { cge } from './cge.ts';
import { clipping } from './clipping.ts';
import { dnc } from './dnc.ts';
import { flame } from './flame.ts';
import { fltrust } from './fltrust.ts';
import { foolsgold } from './foolsgold.ts';
import { geometricMedian } from './geometric-median.ts';
import { krum } from './krum.ts';
import { mda } from './mda.ts';
import { meanAroundMedian } from './mean-around-median.ts';
import { mean } from './mean.ts';
import { median } from './median.ts';
import { monna } from './monna.ts';
import { multiKrum } from './multi-krum.ts';
import { nnm } from './nnm.ts';
import { phocas } from './phocas.ts';
import { rlr } from './rlr.ts';
import type { Entry } from './rule.ts';
import { signMajority } from './sign-majority.ts';
import { screened } from './screened.ts';
import { signguard } from './signguard.ts';
import { smea } from './smea.ts';
import { trimmedMean } from './trimmed-mean.ts';
import { watchful } from './watchful.ts';

/** Every rule by its id. A new one is a file and a line here; the plan's schema and the laws follow. */
export const registry = {
  arc,
  bucketing,
  clipping,
  nnm,

  bulyan,
  caf,
  'centered-clipping': centeredClipping,
  cge,
  dnc,
  flame,
  fltrust,
  foolsgold,
  'geometric-median': geometricMedian,
  krum,
  mda,
  mean,
  'mean-around-median': meanAroundMedian,
  median,
  monna,
  'multi-krum': multiKrum,
  phocas,
  rlr,
  'sign-majority': signMajority,
  screened,
  signguard,
  smea,
  'trimmed-mean': trimmedMean,
  watchful,
} as const satisfies Record<string, Entry>;
