import type { Json } from '../protocol/canonical-json.ts';
import type { HistogramFigures } from './histograms.ts';
import type { RoundRecord } from './record.ts';

/** Everything a report says of a run: read back from the journal, so every number has a source. */
export type RunRecord = {
  readonly orgId: string;
  readonly runId: string;
  readonly name: string;
  readonly status: 'running' | 'completed' | 'stopped' | 'failed';
  readonly reason: string | null;
  readonly planHash: string;
  readonly plan: Json;
  readonly rounds: readonly RoundRecord[];
  readonly clientIds: readonly string[];
  /** Clients flagged in more than half of the rounds in which their update was looked at. */
  readonly flagged: readonly string[];
  /** What the clients read from their own connections; null before any has reported. */
  readonly tls: { readonly group: string; readonly protocol: string; readonly cipher: string } | null;
  readonly signature: string;
  readonly kem: string;
  /** Left out where the plan asks for no privacy. */
  readonly privacy?: PrivacySummary;
  /** Set where participants, refusals, verdicts and traffic were withheld: see `publicRecord`. */
  readonly isWithheld?: true;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** From the coordinator's start to the saved model. */
  readonly seconds: number;
};

/** What a run has cost its clients, and what is left; every figure is derived from the ledger. */
export type PrivacySummary = {
  /** Mode, (ε, δ), unit and rounds in one sentence. */
  readonly statement: string;
  readonly epsilon: number;
  readonly delta: number;
  /** Null under local privacy, where each site keeps its own count. */
  readonly central: {
    readonly purpose: string;
    readonly rule: 'plan' | 'filter';
    readonly noiseMultiplier: number;
    readonly sampleRate: number;
    readonly radius: number;
    /** Rounds of the plan that have not released anything yet. */
    readonly roundsPlanned: number;
    readonly clients: readonly ClientBudget[];
    /** What the clients of one person or site have lost together; empty where the plan names no group. */
    readonly groups?: readonly GroupBudget[];
  } | null;
  /** Under local privacy alone. */
  readonly local?: LocalSummary;
};

/** What has left each site under local privacy, as the coordinator has seen it, and what the sites reported. */
export type LocalSummary = {
  /** `record`: each record is noised in training, and the site keeps the figure. */
  readonly mechanism: 'gaussian' | 'priv-unit' | 'record';
  readonly updatesPlanned: number;
  /** ε of the updates and reports of a client that were accepted, at the plan's δ; null for `record`. */
  readonly clients: readonly {
    readonly clientId: string;
    readonly updates: number;
    readonly reports: number;
    readonly epsilon: number | null;
  }[];
  readonly histograms: readonly HistogramFigures[];
};

/** ε of several clients of one person or site together, by PLD. */
export type GroupBudget = {
  readonly name: string;
  readonly clients: readonly string[];
  readonly epsilon: number;
  /** What they may lose together; null where it is shown and not limited. */
  readonly limit: number | null;
};

/** One client's budget for one purpose. */
export type ClientBudget = {
  readonly clientId: string;
  readonly granted: number;
  /** ε by PLD, by the filter's order, and as an odometer; the grant's rule says which decides. */
  readonly plan: number;
  readonly filter: number;
  readonly odometer: number;
  /** Further rounds at the present noise that the grant admits. */
  readonly roundsLeft: number;
  /**
   * Rounds from now by which it has run out with a probability of 5, 50 and 95 %; null where it takes part in none. Under
   * DP-FTRL each may be null: not before the run ends.
   */
  readonly forecast: BudgetForecast | null;
};

export type BudgetForecast = {
  readonly low: number | null;
  readonly median: number | null;
  readonly high: number | null;
};

/** The rounds in which a budget runs out, in words: "5, 6, 9", or "after the end" where the run ends before. */
export function forecastText({ forecast, roundsLeft }: Pick<ClientBudget, 'forecast' | 'roundsLeft'>): string {
  if (forecast === null) return roundsLeft === 0 ? 'has run out' : '–';
  const { low, median, high } = forecast;
  if (low === null) return 'after the end';
  return [low, median, high].map((round) => (round === null ? 'after the end' : String(round))).join(', ');
}

/** What only the demo knows, beside the run itself. The comparisons are simulated, and say so wherever they appear. */
export type DemoRecord = {
  readonly attackers: readonly { readonly clientId: string; readonly attack: string }[];
  /** Same seed, data and budget of samples; run in simulation. */
  readonly undefended: { readonly accuracy: number; readonly accuracyByRound: readonly number[] } | null;
  readonly centralized: { readonly accuracy: number; readonly accuracyByRound: readonly number[] } | null;
  readonly command: string;
};
