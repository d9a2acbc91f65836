// Accounting: what a schedule costs, and the noise that a budget needs.
export { advancedComposition, adaptiveFilterEpsilon, basicComposition } from './accounting/composition.ts';
export type { Guarantee } from './accounting/composition.ts';
export {
  analyticGaussianSigma,
  gaussianDelta,
  gaussianEpsilon,
  gdpCentralLimitMu,
  zcdpEpsilon,
} from './accounting/analytic-gaussian.ts';
export { epsilon, epsilonInterval } from './accounting/epsilon.ts';
export type { EpsilonInput, EpsilonReport, ScheduleStep } from './accounting/epsilon.ts';
export { fixedSizeEpsilon } from './accounting/fixed-size.ts';
export type { FixedSizeInput } from './accounting/fixed-size.ts';
export { MECHANISMS } from './accounting/mechanisms.ts';
export type { Adjacency, MechanismId, MechanismOptions } from './accounting/mechanisms.ts';
export { noiseMultiplier } from './accounting/noise-multiplier.ts';
export type { NoiseInput, NoiseReport } from './accounting/noise-multiplier.ts';
export {
  exponentialRdp,
  laplaceRdp,
  randomizedResponseRdp,
  RDP_ORDERS,
  rdpEpsilon,
  subsampledGaussianRdp,
} from './accounting/rdp.ts';
export type { RdpCurve } from './accounting/rdp.ts';
export { treeSensitivitySquare } from './accounting/tree-participation.ts';
export type { Participation } from './accounting/tree-participation.ts';
export { shuffleClosedForm, shuffleEpsilon } from './accounting/shuffling.ts';
export type { EpsilonInterval } from './pld/pld-epsilon.ts';

// Mechanisms: noise from Entropy, exact on integers.
export { jointClipNoise, nextClipNorm, noisyUnclippedShare, splitNoise } from './clipping.ts';
export { distributedGaussianEpsilon, skellamRdp } from './mechanisms/distributed.ts';
export type { DistributedGaussian } from './mechanisms/distributed.ts';
export { discreteGaussianNoise, discreteLaplaceNoise, skellamNoise, varianceOf } from './mechanisms/integer-noise.ts';
export type { IntegerNoise } from './mechanisms/integer-noise.ts';
export { createPrivateSum, noiseGrid, quantiseClipped } from './mechanisms/private-sum.ts';
export type { NoiseGrid, PrivateSum } from './mechanisms/private-sum.ts';
export {
  FREQUENCY_ORACLES,
  frequencyVariance,
  hadamardFrequencies,
  hadamardOrder,
  hadamardReport,
  localHashingSize,
  unaryFrequencies,
  unaryReport,
} from './local/frequency.ts';
export type { KeepRaise } from './local/frequency.ts';
export { duchi } from './local/means.ts';
export { privUnit, privUnitReport } from './local/priv-unit.ts';
export type { PrivUnit } from './local/priv-unit.ts';

// Budgets: rules of the ledger, planning and auditing.
export { auditLowerBound, guessCanaries } from './audit.ts';
export type { AuditGuesses } from './audit.ts';
export { cancel, commit, grantBudget, reserve, settle, spendingOf, spentEpsilon } from './ledger/budget.ts';
export type { Refusal, Reserved, Spending, SpentEpsilon } from './ledger/budget.ts';
export { firstBrokenEntry } from './ledger/chain.ts';
export type { Cancel, Commit, Grant, LedgerChain, LedgerEntry, LedgerEvent, Reservation } from './ledger/chain.ts';
export { bestFilterOrder, fitsBudget, gaussianRho, individualRho, renyiBudget, renyiEpsilon } from './ledger/filter.ts';
export type { NoisySteps } from './ledger/filter.ts';
export { groupEpsilon } from './ledger/group.ts';
export type { GroupRequest } from './ledger/group.ts';
export { odometerEpsilon, ODOMETER_ORDERS } from './ledger/odometer.ts';
export { forecastExhaustion, forecastFromHistory } from './ledger/forecast.ts';
export type { Forecast } from './ledger/forecast.ts';
export { replan } from './planner.ts';
export type { RemainingPlan, Replanned } from './planner.ts';
