import type { SigningKey } from './crypto.ts';

/** The coordinator's keys that prove afterwards what happened: each for one purpose. */
export type ProofKeys = {
  /** Signs the tree heads of the log. */
  readonly treeHead: SigningKey;
  /** Signs the cards of models. */
  readonly modelCard: SigningKey;
  /** Signs the list of an export's files. */
  readonly exportList: SigningKey;
  /** The secret under which clients have their pseudonyms on cards. */
  readonly pseudonym: Uint8Array;
};
