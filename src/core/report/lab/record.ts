/** What came out of one cell of a matrix. Everything in it is simulated, and a function of the cell's definition. */
export type CellOutcome = {
  readonly status: 'completed' | 'diverged';
  readonly reason: string | null;
  /** Of the last round's model on the test data; of the last finite one where training diverged. */
  readonly accuracy: number | null;
  readonly loss: number | null;
  /** The best accuracy on the way: what an oracle that stops in time would report. */
  readonly best: number | null;
  readonly curve: readonly (readonly [round: number, accuracy: number])[];
  /** Share of triggered test images that the model takes for the backdoor's class; null without a backdoor. */
  readonly attackSuccess: number | null;
  /** Shares of client-rounds that the detector flagged; null where no detector ran. */
  readonly detection: { readonly attackers: number | null; readonly honest: number | null } | null;
  readonly modelHash: string;
};

/** A cell with its place in the matrix. */
export type CellRecord = {
  /** SHA-256 of the cell's whole definition. */
  readonly key: string;
  /** The value on each axis, as text. */
  readonly axes: Readonly<Record<string, string>>;
  /** What runs this cell alone. */
  readonly command: string;
  readonly outcome: CellOutcome;
};

/** An axis of a matrix. */
export type LabAxis = { readonly name: string; readonly values: readonly string[] };

/** A matrix and what is known of it so far. */
export type LabRecord = {
  readonly name: string;
  readonly description: string;
  readonly simulated: true;
  /** What the simulation left out. */
  readonly leftOut: readonly string[];
  readonly data: string;
  readonly axes: readonly LabAxis[];
  /** In the order of the matrix; cells that have not run are missing. */
  readonly cells: readonly CellRecord[];
  readonly pending: number;
};
