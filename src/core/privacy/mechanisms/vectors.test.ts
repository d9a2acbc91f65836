// Outside vectors: robust-dp.json, section "dp_mechanisms" (each section names its source).
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { adaptiveFilterEpsilon } from '../accounting/composition.ts';
import { shuffleClosedForm, shuffleEpsilon } from '../accounting/shuffling.ts';
import { auditLowerBound } from '../audit.ts';
import { jointClipNoise, nextClipNorm, splitNoise } from '../clipping.ts';
import { FREQUENCY_ORACLES, frequencyVariance, hadamardOrder, localHashingSize } from '../local/frequency.ts';
import { duchi } from '../local/means.ts';
import { privUnit } from '../local/priv-unit.ts';
import { distributedGaussianEpsilon, skellamRdp } from './distributed.ts';
import { discreteGaussianMass, discreteGaussianVariance, skellamMass } from './laws.ts';

const shared = process.env.QFLARE_SHARED ?? join(import.meta.dirname, '../../../../../shared');
const path = join(shared, 'vectors/robust-dp.json');
const skip = existsSync(path) ? false : `no outside vectors at ${path}`;

type Row = { readonly [name: string]: number } & { readonly pmf: Record<string, number> };

const sections = skip ? {} : JSON.parse(readFileSync(path, 'utf8')).dp_mechanisms;

function rows<T = Row>(section: string, key = 'rows'): readonly T[] {
  const list = sections[section]?.[key];
  assert.ok(Array.isArray(list) && list.length > 0, `section ${section} is empty`);
  return list;
}

function near(actual: number, expected: number, tolerance: number, name: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${name}: ${actual} is not within ${tolerance} of ${expected}`);
}

describe('mechanisms against outside vectors', { skip }, () => {
  it('shuffling: the closed form and the clones', () => {
    for (const row of rows<Row & { closed_form: number | null }>('shuffle_amplification')) {
      const closed = shuffleClosedForm(row.eps0!, row.n!, row.delta!);
      if (row.closed_form === null) assert.equal(closed, undefined);
      else near(closed!, row.closed_form, 1e-9, `n ${row.n}`);
      near(shuffleEpsilon(row.eps0!, row.n!, row.delta!), row.numeric_upper_bound!, row.abs_tol!, `clones, n ${row.n}`);
    }
  });

  it('frequency oracles: p, q and variances', () => {
    type Oracle = { readonly p: number; readonly q: number; readonly var_freq0: number };
    type OracleRow = {
      epsilon: number;
      k: number;
      n: number;
      krr: Oracle;
      rappor_sue: Oracle;
      oue: Oracle;
      olh: { g: number };
      hadamard_response: { K: number; p_true_half: number };
    };
    for (const row of rows<OracleRow>('ldp_frequency_oracles')) {
      const { epsilon, k, n } = row;
      const pairs = [
        [FREQUENCY_ORACLES.krr(epsilon, k), row.krr],
        [FREQUENCY_ORACLES.rappor(epsilon), row.rappor_sue],
        [FREQUENCY_ORACLES.oue(epsilon), row.oue],
      ] as const;
      for (const [found, expected] of pairs) {
        near(found.p, expected.p, 1e-12, 'p');
        near(found.q, expected.q, 1e-12, 'q');
        near(frequencyVariance(found, n), expected.var_freq0, 1e-12, 'variance');
      }
      assert.equal(localHashingSize(epsilon), row.olh.g);
      assert.equal(hadamardOrder(k), row.hadamard_response.K);
    }
  });

  it('means: Duchi and PrivUnit', () => {
    for (const row of rows('ldp_mean')) {
      const found = duchi(row.epsilon!, row.x!);
      near(found.probabilityPlus, row.prob_plus!, 1e-12, `x ${row.x}`);
      near(found.magnitude, row.magnitude!, 1e-12, `ε ${row.epsilon}`);
    }
    for (const row of rows('privunit')) {
      const found = privUnit(row.d!, row.epsilon!);
      near(found.variance / row.variance!, 1, row.rel_tol!, `d ${row.d}`);
      near(found.scale / row.scale_m!, 1, row.rel_tol!, `scale at d ${row.d}`);
    }
  });

  it('adaptive clipping', () => {
    const [step, split] = rows('adaptive_clipping') as [Row, Row];
    near(
      nextClipNorm(step.C!, step.b!, { quantile: step.gamma!, rate: step.eta! }),
      step.expected_C!,
      step.abs_tol!,
      'C',
    );
    near(splitNoise(split.z!, split.sigma_b!), split.expected_z_delta!, split.abs_tol!, 'z_Δ');
    const pfl = sections.adaptive_clipping.pfl_test;
    const joint = jointClipNoise(pfl.relative_noise_stddev, pfl.indicator_scale);
    near(joint.sensitivity, 1.25, 1e-12, 'joint sensitivity');
    near(joint.noiseStddev, pfl.joint_noise_stddev, 1e-12, 'joint noise');
  });

  it('fully adaptive composition', () =>
    near(
      adaptiveFilterEpsilon(
        Array.from({ length: 100 }, () => 0.1),
        1e-6,
      ),
      5.7565,
      1e-4,
      '100 × 0.1',
    ));

  it('one-run audits that were published', () => {
    for (const row of rows('one_run_audit')) {
      const bound = auditLowerBound({ canaries: row.m!, guesses: row.r!, right: row.v!, delta: row.delta! }, row.p);
      near(bound, row.expected_eps_lower!, row.abs_tol!, `r ${row.r} v ${row.v}`);
    }
    near(auditLowerBound({ canaries: 500, guesses: 100, right: 100, delta: 1e-5 }, 0.05), 3.479195, 1e-4, 'all right');
    near(
      auditLowerBound({ canaries: 500, guesses: 100, right: 100, delta: 1e-5 }, 0.01),
      3.023198,
      1e-4,
      'all right, 1 %',
    );
  });

  it('discrete Gaussian and Skellam laws', () => {
    for (const row of rows('discrete_gaussian')) {
      for (const [x, mass] of Object.entries(row.pmf))
        near(discreteGaussianMass(row.sigma!, Number(x)), mass, row.abs_tol!, `σ ${row.sigma} at ${x}`);
      near(discreteGaussianVariance(row.sigma!), row.variance!, row.abs_tol!, `variance at σ ${row.sigma}`);
    }
    for (const row of rows('skellam')) {
      for (const [x, mass] of Object.entries(row.pmf))
        near(skellamMass(row.mu!, Number(x)), mass, row.abs_tol!, `μ ${row.mu} at ${x}`);
    }
    for (const row of rows('skellam', 'rdp_rows'))
      near(skellamRdp(row.mu!, row.alpha!, row.D1!, row.D2!), row.expected!, row.abs_tol!, 'RDP');
  });

  it('distributed discrete Gaussian', () => {
    for (const row of rows('distributed_discrete_gaussian')) {
      const { granularity, clients, clip, beta, steps, delta } = row as { [name: string]: number } as Record<
        'granularity' | 'clients' | 'clip' | 'beta' | 'steps' | 'delta',
        number
      >;
      const found = distributedGaussianEpsilon({
        granularity,
        localStddev: row.local_stddev!,
        clients,
        clip,
        beta,
        dimension: row.dim!,
        steps,
        delta,
      });
      near(found.sensitivitySquare / row.expected_sensitivity_sq!, 1, row.rel_tol!, 'Δ²');
      near(found.tau, row.expected_tau!, 1e-9, 'τ');
      near(found.epsilon / row.expected_epsilon!, 1, row.rel_tol!, 'ε');
      assert.equal(found.order, row.order);
    }
  });
});
