import type { Scores } from './measure/standing.ts';

/** What a detector sees of one client: this round's update, and where it stood in the rounds before. */
export type Observation = {
  readonly clientId: string;
  /** ‖x_i‖. */
  readonly norm: number;
  /** The cosine between x_i and the round's aggregate. */
  readonly cosine: number;
  /** The cosine between x_i and the aggregate of the others (`leaveOneOutCosines`); null for a rule on coordinates. */
  readonly othersCosine: number | null;
  /** The distance to the nearest other update: NaN or absent where no distances were computed. */
  readonly nearest?: number | undefined;
  /** Scores of its participations, the newest last and this round among them; at most 20. */
  readonly trail: readonly Scores[];
};

/** What a detector makes of one client: a number that grows with suspicion, and where it comes from. */
export type Suspicion = {
  readonly value: number;
  /** Sentences for people: what is unusual, the most unusual first. Read only where the client is flagged. */
  readonly reasons: () => readonly string[];
};

/**
 * A detector is one pure function. What its values are worth (which of them one honest client in a hundred reaches) is
 * measured on attack-free rounds and stands in calibration.ts; a detector with a meaning of its own has the limit 1.
 */
export type Detector = {
  readonly limit: 'calibrated' | 'absolute';
  /** Looks at the last `horizon` participations of each client. */
  suspect(observations: readonly Observation[], horizon: number): Suspicion[];
};

/** A detector's word on one client. Flagged is not proven malicious: the reasons say what was seen. */
export type Verdict = {
  readonly clientId: string;
  readonly isFlagged: boolean;
  /** Suspicion as a share of what flags: 1 is the threshold. */
  readonly score: number;
  /** At most this share of honest clients would look as suspicious: one of a few levels, 1 for nothing unusual. */
  readonly rarity: number;
  /** Sentences for people; empty when nothing was unusual. */
  readonly reasons: readonly string[];
};
