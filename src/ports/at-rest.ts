/**
 * Seals what rests on a disk. The place says what it is and where it belongs: sealed bytes open at their own place only,
 * so that one file cannot be put in the place of another.
 */
export type AtRest = {
  seal(place: string, plaintext: Uint8Array): Uint8Array;
  /** Throws DamagedError where the bytes are not what was sealed here, and KmsError where their key is gone. */
  open(place: string, sealed: Uint8Array): Uint8Array;
};
