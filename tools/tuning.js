// What the launcher gives every process of QFLARE. Plain JavaScript that Node 18 can read.

/**
 * glibc gives freed socket buffers back to the kernel and faults them in again; keeping 32 MiB of them triples upload
 * throughput, and keeping more buys nothing but memory (npm run bench:memory).
 */
export const allocator = {
  MALLOC_TRIM_THRESHOLD_: '33554432',
  MALLOC_TOP_PAD_: '8388608',
};

const oldSpaceMB = 64;

/**
 * The flags of Node for a command.
 *
 * WebCrypto's ML-KEM and ML-DSA are marked experimental in Node 26; the warning says nothing a user can act on. A simulated
 * round makes objects that die with it: a larger nursery collects them less often (npm run bench:simulation). All others
 * do better with a small one: what it holds back is mostly buffers, which are large outside of it (npm run bench:memory).
 * Those buffers count towards the size at which the whole heap is marked: beginning at 64 MB of it takes 0.6 of the processor
 * time of a round without training (npm run bench:security), and the peak of a coordinator stays what it is (npm run bench:memory).
 */
export function nodeFlagsOf(command) {
  const nurseryMB = ['simulate', 'lab'].includes(command) ? 64 : 4;
  return [
    '--disable-warning=ExperimentalWarning',
    `--max-semi-space-size=${nurseryMB}`,
    `--initial-old-space-size=${oldSpaceMB}`,
  ];
}
