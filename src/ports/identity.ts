import type { LedgerHead } from '../core/privacy/ledger/heads.ts';
import type { Json } from '../core/protocol/canonical-json.ts';

/** What a device remembers between starts: its key and where it is enrolled. */
export type Identity = {
  readonly signingSeed: string;
  /** The key that is to take its place, from before the coordinator hears of it until it has answered. */
  readonly nextSeed?: string | undefined;
  readonly orgId: string;
  readonly runId: string;
  readonly deviceId: string;
  readonly clientId: string;
  /** Certifies the key that signs announcements, and the newest version of that key that was seen. */
  readonly coordinatorKey: string;
  readonly announcementVersion?: number;
  readonly logKey: string;
  /** The newest tree head of the log that this site has seen, as its signed checkpoint. */
  readonly log?: string | undefined;
  readonly planHash: string;
  readonly plan: Json;
  /** Under local privacy: how many noisy updates this site has made. Counted before each is drawn. */
  readonly local?: {
    readonly released: number;
    /** What this site has answered for histograms, in base64: sent again as it was, never drawn anew. */
    readonly reports?: Readonly<Record<string, string>>;
    /** Where the site's privacy ledger stood when this was written: one that does not hold that entry was changed. */
    readonly ledger?: LedgerHead;
  };
  /** Where this device has a QKD link: the epoch secrets that it shares with the coordinator, and the key of the round. */
  readonly qkd?: {
    readonly epochs: readonly { readonly epoch: number; readonly secret: string }[];
    readonly key?: { readonly keyId: string; readonly bytes: string };
  };
};

/** Where a device keeps its identity. The key is made here and never leaves. */
export type IdentityStore = {
  load(): Promise<Partial<Identity> | undefined>;
  save(identity: Partial<Identity>): Promise<void>;
};
