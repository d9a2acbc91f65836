/**
 * How many requests one address may send before anybody knows who it is. A bucket for each address; many sites may
 * stand behind one (a hospital's network), so it holds a thousand joins at once, and a flood runs dry in seconds.
 */
export type RateLimit = {
  /** Takes a token for one request; false when there is none left. */
  take(address: string): boolean;
};

export const rateLimitDefaults = { burst: 5000, perSecond: 500 } as const;

const addressesMax = 10_000;

export function createRateLimit(
  nowMs: () => number,
  { burst, perSecond }: { readonly burst: number; readonly perSecond: number } = rateLimitDefaults,
): RateLimit {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return {
    take(address) {
      const now = nowMs();
      const known = buckets.get(address);
      const bucket = known ?? { tokens: burst, atMs: now };
      bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.atMs) * perSecond) / 1000);
      bucket.atMs = now;
      if (known === undefined) {
        // Maps keep insertion order: the first one is the oldest.
        if (buckets.size >= addressesMax) buckets.delete(buckets.keys().next().value!);
        buckets.set(address, bucket);
      }
      if (bucket.tokens < 1) return false;
      bucket.tokens -= 1;
      return true;
    },
  };
}
