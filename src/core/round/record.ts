import type { Pattern } from '../detection/pattern/pattern.ts';

/** What is remembered of one finished round: a row of the table, of metrics.csv and of the report. */
export type RoundRecord = {
  readonly round: number;
  readonly status: 'completed' | 'aborted';
  readonly reason: string | null;
  /** Client ids, in canonical order. */
  readonly participants: readonly string[];
  readonly accepted: readonly string[];
  readonly refused: readonly { readonly clientId: string; readonly code: string }[];
  /** Clients that said that they could not contribute; left out where there were none. */
  readonly declined?: readonly string[];
  /** The model after the round; null when the round published none. */
  readonly modelVersion: number | null;
  readonly modelHash: string | null;
  /** On the coordinator's own test data; null where it holds none. */
  readonly accuracy: number | null;
  readonly loss: number | null;
  /** What clients measured on their own hold-outs; null when none reported. */
  readonly clients: ClientEvaluation | null;
  /** Devices of which something came under a QKD key, besides ML-KEM-768 and X25519. */
  readonly withQkd: number;
  readonly verdicts: readonly ClientVerdict[];
  /** Client ids that the detector flagged in this round. */
  readonly flagged: readonly string[];
  /** What the round released under central privacy; left out elsewhere, and where it released nothing. */
  readonly privacy?: PrivacyFigures;
  /** HTTP bodies, in bytes. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly seconds: number;
};

/** One noisy release: its noise, and ε of the client that has spent most after it. */
export type PrivacyFigures = {
  readonly noiseMultiplier: number;
  readonly sampleRate: number;
  /** The clip norm of the round. */
  readonly radius: number;
  readonly epsilon: number;
  readonly delta: number;
  readonly noise: 'secret' | 'simulated';
};

/** Federated evaluation: the examples-weighted mean, the spread over clients and the worst client. */
export type ClientEvaluation = {
  readonly reports: number;
  readonly examples: number;
  readonly accuracy: number;
  readonly loss: number;
  /** Clients whose claimed loss was above four times the median and counts as that; left out where there were none. */
  readonly lossCapped?: readonly string[];
  /** Standard deviation of the clients' accuracies, unweighted. */
  readonly accuracySpread: number;
  readonly worst: { readonly clientId: string; readonly accuracy: number };
  readonly byClient: Readonly<Record<string, { accuracy: number; loss: number; examples: number }>>;
  /** The sites' personal models on the same hold-outs; absent where the plan's algorithm has none. */
  readonly personal?: PersonalEvaluation;
};

export type PersonalEvaluation = Pick<ClientEvaluation, 'reports' | 'accuracy' | 'loss' | 'accuracySpread' | 'worst'>;

/** What was seen of one client's update. A flag is an alarm, not proof. */
export type ClientVerdict = {
  readonly clientId: string;
  readonly isFlagged: boolean;
  readonly score: number;
  readonly reasons: readonly string[];
  /** Which attack a flagged update looks like, and what of it does; absent where nothing was flagged. */
  readonly pattern?: Pattern;
  /** L2 norm of the update, its cosine to the aggregate, its weight (null for order statistics). */
  readonly norm: number;
  readonly cosine: number;
  readonly weight: number | null;
  /** Its distance to the nearest other update of the round; absent in journals of before. */
  readonly nearest?: number;
  /** What the client's reputation was after this round; absent in journals of before. */
  readonly trust?: number;
  readonly standing?: 'trusted' | 'watched' | 'turning' | 'excluded';
};
