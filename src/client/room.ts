/** Memory for one thing at a time, used again for the next: fresh pages of the size of a model are dear. */
export type Room = (bytes: number) => Uint8Array;

/** A room that grows to the largest thing that was in it. Who takes it again must be done with what was there. */
export function createRoom(): Room {
  let kept = new Uint8Array();
  return (bytes) => {
    if (kept.length < bytes) kept = new Uint8Array(bytes);
    return kept.subarray(0, bytes);
  };
}
