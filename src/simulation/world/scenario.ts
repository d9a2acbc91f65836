import { type AttackId, attacks } from '../../core/attacks/index.ts';
import { livePoisons, poisons } from '../../core/attacks/poison/index.ts';
import { byzantineCount, parsePipeline, type Pipeline } from '../../core/aggregation/pipeline.ts';
import { codecIds } from '../../core/compression/index.ts';
import { type Plan, type PlanInput, parsePlan } from '../../core/plan/plan.ts';
import { createRng, type Rng } from '../../core/random/rng.ts';
import type { LivePoisonId } from '../live-poison-trainer.ts';
import type { PoisonId } from '../poisoned-data.ts';
import { drawFaults, type Faults } from './faults.ts';
import { type WireAttackId, wireAttacks } from './wire-attacks.ts';

/** A hostile client: it lies in its update, in the protocol, or trains on poisoned data. */
export type Hostility = AttackId | WireAttackId | PoisonId | LivePoisonId;

/** Every way to be hostile. */
export const hostilities = [
  ...Object.keys(attacks),
  ...Object.keys(wireAttacks),
  ...Object.keys(poisons),
  ...Object.keys(livePoisons),
] as readonly Hostility[];

/** Attacks that came after seeds were written down: drawing them would change what every seed draws. */
const addedSince: ReadonlySet<string> = new Set<AttackId>([
  'creeping-drift',
  'one-bit',
  'shuffled',
  'sparse',
  'turncoat',
]);

/** Those that a drawn world may hold: its samples are too few and too small to be poisoned. */
const drawnHostilities = hostilities.filter(
  (kind) => !Object.hasOwn(poisons, kind) && !Object.hasOwn(livePoisons, kind) && !addedSince.has(kind),
);

/** What the operator does meanwhile. */
export type Operator = {
  /** Ends the run at this moment. */
  readonly stopAtMs: number | null;
  /** Removes the device of the first client at this moment, and gives the site a new link. */
  readonly replaceAtMs: number | null;
};

/** Everything that a seed decides about a world, so that it can be printed and replayed. */
export type Scenario = {
  readonly seed: number;
  readonly plan: Plan;
  /** By the number of the client. */
  readonly attackers: ReadonlyMap<number, Hostility>;
  readonly faults: Faults;
  readonly operator: Operator;
};

/** Draws a small world: plan, liars, faults, operator. */
export function drawScenario(seed: number): Scenario {
  const rng = createRng(seed).child('scenario');
  const plan = drawPlan(seed, rng.child('plan'));
  return {
    seed,
    plan,
    attackers: drawAttackers(plan, rng.child('attackers')),
    faults: drawFaults(rng.child('faults')),
    operator: drawOperator(rng.child('operator')),
  };
}

/** Who attacks and how: `count` clients of the plan's, with these attacks in turn. */
export function chooseHostile(
  clientCount: number,
  count: number,
  kinds: readonly Hostility[],
  rng: Rng,
): ReadonlyMap<number, Hostility> {
  const numbers = rng.shuffleInPlace(Array.from({ length: clientCount }, (_, i) => i)).slice(0, count);
  return new Map(numbers.sort((a, b) => a - b).map((number, i) => [number, kinds[i % kinds.length]!]));
}

function drawPlan(seed: number, rng: Rng): Plan {
  const expected = 3 + rng.below(6);
  const size = rng.float() < 0.7 ? expected : Math.max(3, expected - 1);
  const quorum = Math.max(3, size - rng.below(3));
  const isDeep = rng.float() < 0.3;
  return parsePlan({
    name: 'simulated',
    seed,
    model: isDeep ? { kind: 'mlp', layers: [4, 5, 3] } : { kind: 'softmax-regression', inputs: 4, classes: 3 },
    rounds: { count: 1 + rng.below(4), attempts: 8 },
    cohort: {
      expected,
      size,
      overSelection: rng.float() < 0.5 ? expected - size : 0,
      quorum,
      deadlineSeconds: 10 + rng.below(50),
      absenceGraceSeconds: 2 + rng.below(15),
      gatherSeconds: 1 + rng.below(8),
    },
    training: { epochs: 1, batchSize: 8, learningRate: 0.1 },
    data: { holdoutShare: rng.float() < 0.8 ? 0.2 : 0, alpha: 0.3 + rng.float() },
    aggregation: {
      pipeline: drawPipeline(quorum, rng) as never,
      codec: codecIds[rng.below(codecIds.length)]!,
    },
    learning: { server: drawServer(rng.float() < 0.7 ? 1 : 0.5, rng.child('learning')) },
    enrolment: { approve: rng.float() < 0.8 ? 'auto' : 'manual' },
  } satisfies PlanInput);
}

function drawOperator(rng: Rng): Operator {
  const moment = (share: number) => (rng.float() < share ? 200_000 * rng.float() : null);
  return { stopAtMs: moment(0.15), replaceAtMs: moment(0.15) };
}

function drawServer(learningRate: number, rng: Rng): NonNullable<PlanInput['learning']>['server'] {
  const optimizers = ['fed-avg-m', 'fed-adam', 'fed-yogi', 'fed-adagrad'] as const;
  const optimizer = rng.float() < 0.6 ? ('fed-avg' as const) : optimizers[rng.below(optimizers.length)]!;
  return { optimizer, learningRate };
}

/** Rules with a known bound, and some without; n is the quorum, with which each must still run. */
function drawPipeline(n: number, rng: Rng): Pipeline {
  const [minority, krum] = [Math.ceil(n / 2) - 1, Math.max(0, Math.floor((n - 3) / 2))];
  const choices: readonly Pipeline[] = [
    [{ rule: 'trimmed-mean', f: rng.below(minority + 1) }],
    [{ rule: 'median', f: minority }],
    [{ rule: 'krum', f: krum }],
    [{ rule: 'multi-krum', f: 'auto' }],
    [
      { rule: 'nnm', f: minority },
      { rule: 'trimmed-mean', f: minority },
    ],
    [{ rule: 'centered-clipping', radius: 1 }],
    [{ rule: 'geometric-median' }],
    [{ rule: 'mean' }],
  ];
  return choices[rng.below(choices.length)]!;
}

/** As many liars as the plan's rule allows for; a few where it promises nothing. */
function drawAttackers(plan: Plan, rng: Rng): ReadonlyMap<number, Hostility> {
  const { size, expected } = plan.cohort;
  const f = Math.max(...parsePipeline(plan.aggregation.pipeline).map((step) => byzantineCount(step, size, 0)));
  const count = rng.below(Math.max(1, f) + 1);
  const kinds = Array.from({ length: count }, () => drawnHostilities[rng.below(drawnHostilities.length)]!);
  return chooseHostile(expected, count, kinds, rng);
}
