import { z } from 'zod';
import { type DetectorId, detectors } from '../detection/index.ts';

const detectorIds = Object.keys(detectors) as [DetectorId, ...DetectorId[]];

/** What looks for hostile clients, and what follows from it. */
export const detectionSchema = z.strictObject({
  detector: z
    .enum(detectorIds)
    .default('ensemble')
    .describe('what flags unusual updates; a flag is an alarm, not proof'),
  falseAlarms: z
    .number()
    .min(0.0001)
    .max(0.2)
    .default(0.003)
    .describe('share of honest clients that may be flagged at the end of a window of 20 participations'),
  rootSamples: z
    .int()
    .min(0)
    .max(10_000)
    .default(0)
    .describe(
      "samples of the coordinator's own data (data.test) that each update is tried on: its effect on their loss is a feature; they no longer count for accuracy",
    ),
  reputation: z
    .enum(['observe', 'weigh', 'select', 'weigh-and-select'])
    .default('observe')
    .describe(
      'what reputation does: nothing; multiply claimed weights (rules that read them); leave excluded clients out of later rounds; both',
    ),
});

type DetectionPlan = z.output<typeof detectionSchema>;

type Problem = { readonly path: string[]; readonly message: string };

/** What of a plan bears on detection, as the parser sees it. */
type Given = {
  readonly detection: DetectionPlan;
  readonly learning: { readonly local: readonly string[] };
  readonly privacy: { readonly mode: 'off' | 'local' | 'central'; readonly evidence?: 'none' | 'operator' };
};

/**
 * What detection may not do in a plan: under central privacy a look at the cohort must not change the release that it
 * looked at, so that verdicts may act on later invitations only, and only where clean updates are looked at at all.
 */
export function detectionProblems(given: Given): readonly Problem[] {
  return [...reputationProblems(given), ...rootProblems(given)];
}

/** Trying each update on a root set is to look at it: refused where no detector may, and where no whole model is. */
function rootProblems({ detection, privacy, learning }: Given): Problem[] {
  const { rootSamples } = detection;
  if (rootSamples === 0) return [];
  const say = (message: string): Problem[] => [
    { path: ['detection', 'rootSamples'], message: `${message}: current value is ${rootSamples}` },
  ];
  if (privacy.mode === 'central' && privacy.evidence !== 'operator') {
    return say(
      'must be 0 where no detector sees the updates (nearest: 0, or privacy.evidence = "operator", which is outside the bound)',
    );
  }
  if (learning.local.length > 0) {
    return say('must be 0 where tensors stay at the sites, as the coordinator has no whole model to try (nearest: 0)');
  }
  return [];
}

function reputationProblems({ detection, privacy }: Given): Problem[] {
  const { reputation } = detection;
  if (privacy.mode !== 'central' || reputation === 'observe') return [];
  const path = ['detection', 'reputation'];
  const isBlind = privacy.evidence !== 'operator';
  if (reputation === 'weigh' || reputation === 'weigh-and-select') {
    const nearest = isBlind ? '"observe"' : '"select"';
    return [
      {
        path,
        message: `must leave weights alone under central privacy, as a weight that follows the updates has no proven sensitivity (nearest: ${nearest}): current value is ${JSON.stringify(reputation)}`,
      },
    ];
  }
  if (!isBlind) return [];
  return [
    {
      path,
      message:
        'must be "observe" where no detector sees the updates (nearest: "observe", or privacy.evidence = "operator"): current value is "select"',
    },
  ];
}
