// What the launcher gives every process of QFLARE. Plain JavaScript that Node 18 can read.

/**
 * glibc gives freed socket buffers back to the kernel and faults them in again; keeping 32 MiB of them triples upload
 * throughput, and keeping more buys nothing but memory (npm run bench:memory).
 */
export const allocator = {
  MALLOC_TRIM_THRESHOLD_: '33554432',
  MALLOC_TOP_PAD_: '8388608',
};

/** WebCrypto's ML-KEM and ML-DSA are marked experimental in Node 26; the warning says nothing a user can act on. */
export const nodeFlags = ['--disable-warning=ExperimentalWarning'];
