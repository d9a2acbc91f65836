import type { Entropy } from '../../../ports/entropy.ts';
import { createIntegerSource } from '../mechanisms/random-integers.ts';
import {
  FREQUENCY_ORACLES,
  hadamardFrequencies,
  hadamardOrder,
  hadamardReport,
  type KeepRaise,
  unaryReport,
} from './frequency.ts';
import { uniform } from './priv-unit.ts';

/** Ways to report one of k values privately: one integer (`k-rr`, `hadamard`), or a bit for each value. */
export const oracleIds = ['k-rr', 'rappor', 'oue', 'hadamard'] as const;
export type OracleId = (typeof oracleIds)[number];

/** One question that every site answers with one report. */
export type Oracle = { readonly mechanism: OracleId; readonly epsilon: number; readonly valueCount: number };

/** A report of so many bits is small beside an update; above that a Hadamard response says it in log₂ k bits. */
const unaryBitsMax = 1024;
/** An honest report is taken for a lie with less than this probability. */
const falseAlarm = 1e-9;

/**
 * The mechanism of least variance for so many values: k-ary randomised response for few, optimised unary encoding above
 * that, a Hadamard response where a bit for each value is too much to send.
 *
 * Formula: (e^ε + k − 2) ÷ (e^ε − 1)² below 4e^ε ÷ (e^ε − 1)² where k < 3e^ε + 2. RAPPOR is never better: for whoever
 *          asks for it.
 * Source:  Wang et al. 2017, arXiv:1705.04421, section 5.
 */
export function bestOracle(valueCount: number, epsilon: number): OracleId {
  if (valueCount < 3 * Math.exp(epsilon) + 2) return 'k-rr';
  return valueCount <= unaryBitsMax ? 'oue' : 'hadamard';
}

/**
 * The report of one value, as bytes: bits packed from the first value on, or an integer of four bytes.
 *
 * Needs:    drawn once; sent again it must be the same bytes.
 * Promises: ε-local-private for any other value in its place.
 */
export function valueReport(entropy: Entropy, value: number, oracle: Oracle): Uint8Array<ArrayBuffer> {
  const { mechanism, epsilon, valueCount } = oracle;
  switch (mechanism) {
    case 'hadamard':
      return integerBytes(hadamardReport(entropy, value, valueCount, epsilon));
    case 'k-rr': {
      const source = createIntegerSource(entropy);
      const { p } = FREQUENCY_ORACLES.krr(epsilon, valueCount);
      if (uniform(source) < p) return integerBytes(value);
      const other = source.below(valueCount - 1);
      return integerBytes(other < value ? other : other + 1);
    }
    case 'oue':
    case 'rappor': {
      const bytes = new Uint8Array(Math.ceil(valueCount / 8));
      unaryReport(entropy, value, valueCount, lawOf(oracle)).forEach((bit, i) => (bytes[i >> 3]! |= bit << (i & 7)));
      return bytes;
    }
  }
}

/** How many counters the reports of an oracle are added up in. */
export function counterCount({ mechanism, valueCount }: Oracle): number {
  return mechanism === 'hadamard' ? hadamardOrder(valueCount) : valueCount;
}

/**
 * Adds a report to the counters, or says what is wrong with it and adds nothing.
 *
 * Promises: what an honest site sends is refused with a probability below 1e-9 (a unary report with far too many bits).
 */
export function addReport(counts: number[], report: Uint8Array, oracle: Oracle): string | null {
  const { mechanism, valueCount } = oracle;
  if (mechanism === 'hadamard' || mechanism === 'k-rr') {
    if (report.length !== 4) return `${report.length} bytes in place of 4`;
    const place = new DataView(report.buffer, report.byteOffset).getUint32(0);
    if (place >= counts.length) return `${place} of ${counts.length}`;
    counts[place]! += 1;
    return null;
  }
  if (report.length !== Math.ceil(valueCount / 8)) return `${report.length} bytes for ${valueCount} bits`;
  const isSet = (i: number) => ((report[i >> 3]! >> (i & 7)) & 1) === 1;
  const set = Array.from({ length: 8 * report.length }, (_, i) => i).filter(isSet);
  if (set.some((i) => i >= valueCount)) return 'bits beyond the last value';
  if (set.length > bitsMax(oracle)) return `${set.length} bits are set, more than chance gives`;
  for (const i of set) counts[i]! += 1;
  return null;
}

/** What reports say of a population. */
export type Estimate = {
  /** Unbiased, so below 0 or above 1 at times. */
  readonly frequencies: readonly number[];
  /** Of each frequency, by the noise of the reports. */
  readonly standardErrors: readonly number[];
  /** By how much one report, whatever it says, can move one frequency. */
  readonly reach: number;
};

/**
 * Estimates frequencies from the counters of n reports.
 *
 * Formula:  f = (c/n − q) ÷ (p − q), variance (f p(1 − p) + (1 − f) q(1 − q)) ÷ (n (p − q)²); for Hadamard responses
 *           f = 2 (e^ε + 1)/(e^ε − 1) (c/n − ½), c the reports in the half of the value. One report moves f by at most
 *           1 ÷ (n (p − q)), or (e^ε + 1)/(e^ε − 1) · 2/n, against its absence from that count.
 * Source:   Wang et al. 2017; Acharya, Sun and Zhang 2019; on lying reports Cheu, Smith and Ullman 2021, arXiv:1909.09630.
 */
export function estimateFrequencies(counts: readonly number[], reports: number, oracle: Oracle): Estimate {
  const { mechanism, epsilon, valueCount } = oracle;
  const within = (frequency: number) => Math.min(1, Math.max(0, frequency));
  if (reports === 0) {
    const nothing = Array.from({ length: valueCount }, () => 0);
    return { frequencies: nothing, standardErrors: nothing.map(() => Infinity), reach: Infinity };
  }
  if (mechanism === 'hadamard') {
    const scale = (2 * (Math.exp(epsilon) + 1)) / Math.expm1(epsilon);
    const frequencies = Array.from(hadamardFrequencies(counts, valueCount, epsilon));
    const inside = (f: number) => 0.5 + within(f) / scale;
    const standardErrors = frequencies.map((f) => scale * Math.sqrt((inside(f) * (1 - inside(f))) / reports));
    return { frequencies, standardErrors, reach: scale / reports };
  }
  const { p, q } = lawOf(oracle);
  const frequencies = counts.map((count) => (count / reports - q) / (p - q));
  const standardErrors = frequencies.map((f) => {
    const variance = within(f) * p * (1 - p) + (1 - within(f)) * q * (1 - q);
    return Math.sqrt(variance / reports) / (p - q);
  });
  return { frequencies, standardErrors, reach: 1 / (reports * (p - q)) };
}

function lawOf({ mechanism, epsilon, valueCount }: Oracle): KeepRaise {
  if (mechanism === 'k-rr') return FREQUENCY_ORACLES.krr(epsilon, valueCount);
  return mechanism === 'oue' ? FREQUENCY_ORACLES.oue(epsilon) : FREQUENCY_ORACLES.rappor(epsilon);
}

/** So many bits of a unary report are set by chance, but for one honest report in a billion: Bernstein's inequality. */
function bitsMax(oracle: Oracle): number {
  const { p, q } = lawOf(oracle);
  const rest = oracle.valueCount - 1;
  const variance = rest * q * (1 - q) + p * (1 - p);
  const log = Math.log(1 / falseAlarm);
  const excess = log / 3 + Math.sqrt((log / 3) ** 2 + 2 * variance * log);
  return Math.floor(rest * q + p + excess);
}

function integerBytes(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
