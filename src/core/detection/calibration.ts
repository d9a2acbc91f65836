import type { Calibration } from './limits.ts';

export const calibration: Calibration = {
  cohorts: [5],
  horizons: [1, 2, 4, 10, 20],
  shares: [0.1, 0.03, 0.01, 0.003, 0.001],
  features: [[[], [], [], [], []]],
  detectors: {},
  quiet: '',
};
