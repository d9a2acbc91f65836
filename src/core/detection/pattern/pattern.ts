/** What a flagged update looks like. `broken-values`: not finite. `unknown`: like no attack that was learned. */
export const patternIds = [
  'noise',
  'sign-flip',
  'scaling',
  'copies',
  'drift',
  'label-flip',
  'backdoor',
  'free-rider',
  'broken-values',
  'unknown',
] as const;

export type PatternId = (typeof patternIds)[number];

/** A label with the sentences that stand behind it. A likeness is no proof: other causes can look the same. */
export type Pattern = { readonly label: PatternId; readonly evidence: readonly string[] };

const names: Readonly<Record<PatternId, string>> = {
  noise: 'noise',
  'sign-flip': 'a sign flip',
  scaling: 'scaling',
  copies: 'copies',
  drift: 'drift',
  'label-flip': 'a label flip',
  backdoor: 'a backdoor',
  'free-rider': 'a free rider',
  'broken-values': 'broken values',
  unknown: 'no known attack',
};

/** As it stands in a sentence: "looks like …". */
export function patternName(label: PatternId): string {
  return names[label];
}

/** How often each pattern was seen, the most frequent first. */
export function countPatterns(
  seen: readonly { readonly pattern?: Pattern }[],
): readonly { readonly label: PatternId; readonly count: number }[] {
  return patternIds
    .map((label) => ({ label, count: seen.filter(({ pattern }) => pattern?.label === label).length }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}
