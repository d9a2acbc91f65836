/** What attack-free runs showed: by size of the cohort, horizon, and feature or share of honest clients. */
export type Calibration = {
  readonly cohorts: readonly number[];
  readonly horizons: readonly number[];
  /** Shares of honest clients, the most common first. */
  readonly shares: readonly number[];
  /** What one honest client in a hundred reaches: [cohort][horizon][feature]. */
  readonly features: readonly (readonly (readonly number[])[])[];
  /** What these shares of honest clients reach, by detector: [cohort][horizon][share]. */
  readonly detectors: Readonly<Record<string, readonly (readonly (readonly number[])[])[]>>;
  /** The most that an attack-free client's length over the median came to, as a geometric mean: [cohort][horizon]. */
  readonly lengths: readonly (readonly number[])[];
  /** Standings of attack-free clients, eighths in int8, base64. */
  readonly quiet: string;
};
