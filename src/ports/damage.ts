/** What was written no longer is what is read: a disk failed, or somebody changed it. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError';
}
