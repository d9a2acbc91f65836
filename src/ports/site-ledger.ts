import type { SiteEvent, SiteLedger } from '../core/privacy/local/site-ledger.ts';
import type { LedgerEntry } from '../core/privacy/ledger/chain.ts';

/** Where a site under local privacy keeps what it has granted, drawn and released: nothing in it is ever changed. */
export type SiteLedgerStore = {
  load(): Promise<SiteLedger>;
  /** On disk once it has resolved. */
  append(entries: readonly LedgerEntry<SiteEvent>[]): Promise<void>;
};
