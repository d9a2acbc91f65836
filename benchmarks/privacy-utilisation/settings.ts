/** Sample rate, rounds, ε and δ. */
export const settings = [
  [0.1, 100, 8, 1e-5],
  [0.1, 100, 2, 1e-5],
  [0.01, 1000, 1, 1e-5],
  [1, 50, 8, 1e-5],
  [0.2, 200, 4, 1e-6],
  [0.05, 500, 0.5, 1e-6],
] as const;

export type Setting = (typeof settings)[number];
export type Table = { readonly lines: readonly string[]; readonly isMet: boolean };

export const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
