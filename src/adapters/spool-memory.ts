import type { Spool } from '../ports/spool.ts';

/** Rows in memory, for simulated worlds and models that are small. */
export function createMemorySpool(): Spool {
  return {
    async begin(length) {
      const row = new Float32Array(length);
      let filled = 0;
      return {
        async append(values) {
          row.set(values, filled);
          filled += values.length;
        },
        finish: async () => row,
        async release() {},
      };
    },
  };
}
