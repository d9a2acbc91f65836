import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gaussianEpsilon } from '../accounting/analytic-gaussian.ts';
import {
  commitAtSite,
  grantAtSite,
  releasesOf,
  reserveAtSite,
  settleAtSite,
  type SiteLedger,
  siteLedgerProblem,
  type SiteLoss,
  siteSpending,
} from './site-ledger.ts';

const terms = { subject: 'client-01', run: 'run-1', unit: 'client' } as const;
const granted = grantAtSite(
  [],
  [
    { ...terms, purpose: 'updates', epsilon: 3, delta: 1e-5 },
    { ...terms, purpose: 'reports', epsilon: 1, delta: 0 },
  ],
);

const request = (name: string, loss: SiteLoss, purpose: 'updates' | 'reports' = 'updates') =>
  ({ purpose, reservation: name, round: 1, mechanism: 'any', ...loss }) as const;

function charged(ledger: SiteLedger, name: string, loss: SiteLoss, purpose?: 'updates' | 'reports'): SiteLedger {
  const answer = reserveAtSite(ledger, request(name, loss, purpose));
  assert.ok(answer.ok);
  return answer.ledger;
}

test('Gaussian steps cost what the exact Gaussian does, pure losses their sum or less, and both together add up', () => {
  const noisy = { noiseMultiplier: 4, sampleRate: 1, steps: 1 };
  const two = charged(charged(granted, 'a', noisy), 'b', noisy);
  assert.equal(siteSpending(two)[0]!.epsilon, gaussianEpsilon(Math.SQRT2 / 4, 1e-5));
  const mixed = charged(two, 'c', { epsilon: 0.25 });
  assert.equal(siteSpending(mixed)[0]!.epsilon, gaussianEpsilon(Math.SQRT2 / 4, 1e-5) + 0.25);
  let pure = granted;
  for (let i = 0; i < 40; i++) pure = charged(pure, `p${i}`, { epsilon: 0.05 });
  // Forty randomised responses at ε = 0.05: their sum is 2; composed it is less.
  const spent = siteSpending(pure)[0]!.epsilon;
  assert.ok(spent < 1.6 && spent > 1, `${spent}`);
  // Without a δ only the sum holds: ten tenths are the grant, and no more.
  let answers = granted;
  for (let i = 0; i < 10; i++) answers = charged(answers, `r${i}`, { epsilon: 0.1 }, 'reports');
  assert.equal(siteSpending(answers)[1]!.epsilon, 1);
  const beyond = reserveAtSite(answers, request('r10', { epsilon: 1e-6 }, 'reports'));
  assert.ok(!beyond.ok);
  assert.equal(
    beyond.reason,
    'Cannot release r10 as ε of reports must be at most 1 at δ = 0: with it 1.000001, and 0 is left',
  );
  assert.deepEqual(siteSpending(answers)[0]!.epsilon, 0, 'another purpose has a budget of its own');
});

test('a grant is there once; what was reserved and not kept is given back; a name is used once', () => {
  assert.equal(grantAtSite(granted, [{ ...terms, purpose: 'updates', epsilon: 99, delta: 1e-5 }]), granted);
  const open = charged(charged(granted, 'a', { epsilon: 1 }), 'b', { epsilon: 1.5 });
  assert.deepEqual([releasesOf(open, 'updates'), releasesOf([], 'updates')], [2, 0]);
  const settled = settleAtSite(open, (name) => (name === 'a' ? 'f00d' : undefined));
  assert.deepEqual(siteSpending(settled)[0], {
    grant: { kind: 'grant', ...terms, purpose: 'updates', epsilon: 3, delta: 1e-5 },
    epsilon: 1,
    committed: 1,
    reserved: 0,
  });
  assert.equal(commitAtSite(settled, 'a', 'f00d'), settled);
  assert.throws(() => commitAtSite(settled, 'b', 'f00d'), /must be reserved: current value is cancel/);
  assert.throws(() => reserveAtSite(settled, request('b', { epsilon: 1 })), /must be new: b exists/);
  assert.throws(() => reserveAtSite([], request('b', { epsilon: 1 })), /must have been granted: updates/);
});

test('a ledger is read only as it was written, and holds what was noted of it', () => {
  const chain = charged(granted, 'a', { epsilon: 1 });
  const head = { entries: 3, hash: chain[2]!.hash };
  assert.equal(siteLedgerProblem(chain, head), undefined);
  assert.equal(siteLedgerProblem(charged(chain, 'b', { epsilon: 1 }), head), undefined, 'it may have grown');
  assert.match(siteLedgerProblem(chain.slice(1))!, /entry 0 does not follow/);
  assert.match(siteLedgerProblem(granted, head)!, /entry 2 is not there, of 2 entries/);
  assert.match(siteLedgerProblem(charged(granted, 'b', { epsilon: 1 }), head)!, /entry 2 is not there, of 3 entries/);
});
