import { clustering } from './clustering.ts';
import type { Detector } from './detector.ts';
import { ensemble } from './ensemble.ts';
import { isolationForest } from './isolation-forest.ts';
import { longUpdate } from './long-update.ts';
import { nearDuplicate } from './near-duplicate.ts';
import { normCosine } from './norm-cosine.ts';
import { opposition } from './opposition.ts';
import { prediction } from './prediction.ts';
import { robustThresholds } from './robust-thresholds.ts';
import { spectral } from './spectral.ts';

/** Every detector by its id. */
export const detectors = {
  clustering,
  ensemble,
  'isolation-forest': isolationForest,
  'long-update': longUpdate,
  'near-duplicate': nearDuplicate,
  'norm-cosine': normCosine,
  opposition,
  prediction,
  'robust-thresholds': robustThresholds,
  spectral,
} as const satisfies Record<string, Detector>;

export type DetectorId = keyof typeof detectors;
