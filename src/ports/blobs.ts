/** Content-addressed bytes. The name of a blob is the SHA-256 of its bytes in hexadecimal. */
export type Blobs = {
  /**
   * Writes durably (the bytes are on disk when it returns) and gives the hash. Writing twice is no error. `known`: the
   * hash of these very bytes, where the caller has just made it; it is not made again. `how`: `as-it-is` where the content
   * is sealed already; a store that seals what rests in it need not do so again.
   */
  put(content: Uint8Array | AsyncIterable<Uint8Array>, known?: string, how?: 'as-it-is'): Promise<string>;
  /** The bytes, or undefined when there is no such blob. Throws when the bytes no longer match the hash. */
  get(hash: string): Promise<Uint8Array | undefined>;
  /** How many bytes the blob has, or undefined when there is none. */
  size(hash: string): Promise<number | undefined>;
  /** Throws when the bytes no longer match the hash, or are gone. */
  check(hash: string): Promise<void>;
  /**
   * Fills `target` with the bytes from `start` on. A range is not checked against the hash of the whole: see `check`.
   * Throws where the blob ends before.
   */
  read(hash: string, start: number, target: Uint8Array): Promise<void>;
  remove(hash: string): Promise<void>;
  /**
   * Removes what a killed process left behind: blobs that were not written to their end, and those of which `isOrphan`
   * says so. Gives their number. Only while nothing else is written.
   */
  sweep(isOrphan: (hash: string) => Promise<boolean>): Promise<number>;
  readonly arriving: Arriving;
};

/** Blobs of which a part is there, by the name that they will have. They outlive the process, cut at any byte. */
export type Arriving = {
  names(): Promise<readonly string[]>;
  /** How many bytes are there; 0 where there are none. */
  size(name: string): Promise<number>;
  /** Writes at `offset`, which is at most the size; what lay behind is gone. Not durable before `settle`. */
  write(name: string, offset: number, bytes: Uint8Array): Promise<void>;
  read(name: string, start: number, target: Uint8Array): Promise<void>;
  /** Makes a blob of it, durably, where its hash is its name; otherwise it is removed, and the answer is false. */
  settle(name: string): Promise<boolean>;
  remove(name: string): Promise<void>;
};
