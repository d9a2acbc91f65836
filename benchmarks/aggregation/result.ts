/** A rule on one shape: CPU milliseconds, least of the repeats; ratios are how many times faster it is than the peer. */
export type RuleResult = {
  readonly rule: string;
  readonly ms: number;
  /** Against the weighted mean of the same run. */
  readonly timesMean: number;
  /** Bytes of the rows, once a pass, over the time; and over the bandwidths measured in turn with it. */
  readonly gigabytesPerSecond: number;
  readonly shareOfRead: number;
  readonly shareOfCopy: number;
  /** Null where the peer does not do it or was not run. */
  readonly flower: number | null;
  readonly numpy: number | null;
  /** With distances by the native matrix product, where the optional package is there. */
  readonly nativeMs: number | null;
  readonly nativeFlower: number | null;
  readonly nativeNumpy: number | null;
};

export type ShapeResult = {
  readonly n: number;
  readonly d: number;
  readonly readGigabytes: number;
  readonly copyGigabytes: number;
  readonly gramGigaflops: number;
  readonly cohortMegabytes: number;
  /** Of the process that held the cohort and ran every rule once, before the peers were started. */
  readonly peakMegabytes: number;
  readonly numpy: { readonly version: string; readonly productGigaflops: number } | null;
  readonly rules: readonly RuleResult[];
};

export type Threads = Readonly<Record<string, ThreadTimes>>;

type ThreadTimes = {
  /** Wall milliseconds on one worker and on two, and their ratio. */
  readonly one: number;
  readonly two: number;
  readonly speedup: number;
  /** What the ratio would be with both cores free and the work evenly split: from the processor time of all threads. */
  readonly byWork: number;
};

export type Spooled = {
  readonly n: number;
  readonly d: number;
  readonly megabytesOnDisk: number;
  readonly seconds: Readonly<Record<string, number>>;
  readonly peakMegabytes: number;
};

export type AggregationReport = {
  readonly shapes: readonly ShapeResult[];
  /** The worst relative error of squared distances between rows that differ by 0.2 %. */
  readonly distanceError: number | null;
  readonly threads: Threads | null;
  readonly spooled: Spooled | null;
};
