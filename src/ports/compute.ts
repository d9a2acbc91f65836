/** A row that is too large to hold: read range by range. */
export type SpooledRow = {
  readonly length: number;
  /** Fills `target` with the values from `start` on. */
  read(start: number, target: Float32Array): Promise<void>;
};

export type Vector = Float32Array | Float64Array;
export type Row = Vector | SpooledRow;

/** The centred Gram matrix of rows x_i = e_i + c: enough to rebuild every dot product and distance. */
export type GramPass = {
  /** ⟨e_i, e_j⟩, n × n. */
  readonly centred: Float64Array;
  /** ⟨e_i, c⟩, n. */
  readonly centreDots: Float64Array;
  /** ‖c‖². */
  readonly centreNorm2: number;
  /** Rows with a value that is NaN or infinite; when there is one, the other fields are meaningless. */
  readonly nonFinite: readonly number[];
};

/** Norms, and products with one reference vector: what clipping and centred clipping need, at the speed of reading. */
export type StarPass = {
  readonly norms2: Float64Array;
  readonly referenceDots: Float64Array | null;
  readonly referenceDistances2: Float64Array | null;
  readonly referenceNorm2: number;
  readonly nonFinite: readonly number[];
};

/** ‖s_i x_i − v‖² by row. */
export type DistancePass = { readonly distances2: Float64Array; readonly nonFinite: readonly number[] };

/** One output coordinate from the n values of a column. Ranks count from 0 in ascending order. */
export type ColumnRule =
  /** The mean of the values with ranks in [low, high). */
  | { readonly kind: 'ranks'; readonly low: number; readonly high: number }
  /** The mean of the `keep` values nearest to the mean of ranks [low, high); ties go to the lower row. */
  | { readonly kind: 'nearest'; readonly keep: number; readonly low: number; readonly high: number }
  /** The sign of the sum of signs. */
  | { readonly kind: 'sign-majority' }
  /** The mean, negated where the absolute sum of signs is below the threshold. */
  | { readonly kind: 'sign-flip'; readonly threshold: number };

/** p mixed rows from n rows: y_a = Σ_i matrix[a·n + i] x_i. */
export type Mixing = { readonly count: number; readonly matrix: Float64Array };

export type Combined = {
  readonly vector: Vector;
  /** ‖x_i‖² and ⟨x_i, vector⟩ of the rows as they came, when asked for. */
  readonly norms2: Float64Array | null;
  readonly dots: Float64Array | null;
  readonly nonFinite: readonly number[];
};

export type OutputOptions = {
  /** Also compute norms and products with the vector. */
  readonly dots: boolean;
  /** Where a float32 vector goes instead of fresh memory; not one of the rows. */
  readonly into?: Float32Array | undefined;
};

/** Counts of positive and of negative coordinates by row. */
export type SignPass = { readonly positives: Float64Array; readonly negatives: Float64Array };

/** Rows in the memory of the kernels; `release` gives the memory back, after which the rows must not be used. */
export type RowBlock = { readonly rows: readonly Float32Array[]; release(): void };

/**
 * The numeric kernels: whole-cohort passes over rows of equal length, all float32 or all float64 (spooled rows count
 * as float32). Same rows in the same order give the same bits.
 */
export type Compute = {
  readonly name: string;
  /** Zeroed rows that the kernels read in place. Rows from elsewhere work too, at the price of a copy. */
  allocate(count: number, length: number): RowBlock;
  gram(rows: readonly Row[]): Promise<GramPass>;
  star(rows: readonly Row[], reference: Row | null): Promise<StarPass>;
  /** The distances of the scaled rows s_i x_i to v = Σ w_i x_i, which is made block by block and not kept. */
  distances(rows: readonly Row[], weights: Float64Array, scales: Float64Array): Promise<DistancePass>;
  /** Σ w_i x_i. */
  combine(rows: readonly Row[], weights: Float64Array, options: OutputOptions): Promise<Combined>;
  columns(rows: readonly Row[], mixing: Mixing | null, rule: ColumnRule, options: OutputOptions): Promise<Combined>;
  signs(rows: readonly Row[]): Promise<SignPass>;
};
