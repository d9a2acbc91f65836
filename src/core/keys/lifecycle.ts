/**
 * What a key is for. A key has one purpose and serves no other. `rotates`: whether it may be replaced while a run lasts;
 * what others pin or what names things for good may not. `rotateDays`: after how many days of use that is due.
 */
export const keyPurposes = {
  kek: { algorithm: 'AES-256-GCM', rotates: true, rotateDays: 365, is: 'wraps every key below' },
  data: {
    algorithm: 'AES-256-GCM',
    rotates: true,
    rotateDays: 30,
    is: 'seals what rests in files: round keys, epochs',
  },
  'owner-token': { algorithm: 'bearer token', rotates: true, rotateDays: 90, is: 'lets the command line administer' },
  root: { algorithm: 'ML-DSA', rotates: false, rotateDays: null, is: 'certifies the announcement key to sites' },
  announcement: { algorithm: 'ML-DSA', rotates: true, rotateDays: 90, is: 'signs what devices are told' },
  'tree-head': { algorithm: 'ML-DSA', rotates: false, rotateDays: null, is: 'signs the tree heads of the log' },
  'model-card': { algorithm: 'ML-DSA', rotates: false, rotateDays: null, is: 'signs the cards of models' },
  'export-list': { algorithm: 'ML-DSA', rotates: false, rotateDays: null, is: 'signs the list of an export' },
  'certificate-authority': {
    algorithm: 'ML-DSA',
    rotates: false,
    rotateDays: null,
    is: 'signs certificates of devices and lists of revoked ones',
  },
  pseudonym: { algorithm: 'HMAC-SHA-256', rotates: false, rotateDays: null, is: 'names clients on cards' },
  tls: { algorithm: 'of the profile', rotates: false, rotateDays: null, is: 'identifies the server; pinned in links' },
} as const satisfies Readonly<
  Record<string, { algorithm: string; rotates: boolean; rotateDays: number | null; is: string }>
>;

export type KeyPurpose = keyof typeof keyPurposes;

/**
 * Where a key stands in its life. `created`: made, not in use. `active`: the one in use. `retired`: another has taken its
 * place; no new use, what it has sealed is still opened. `expired`: the same, as its time has run out. `revoked`: no use at
 * all. `destroyed`: the secret is gone, the record stays.
 */
export const keyStates = ['created', 'active', 'retired', 'expired', 'revoked', 'destroyed'] as const;

export type KeyState = (typeof keyStates)[number];

export type KeyEvent = 'activate' | 'retire' | 'expire' | 'revoke' | 'destroy';

export type KeyRecord = {
  readonly id: string;
  readonly purpose: KeyPurpose;
  readonly version: number;
  readonly state: KeyState;
  readonly createdAtMs: number;
  readonly activatedAtMs: number | null;
  /** When it left use: retired, revoked or destroyed. */
  readonly endedAtMs: number | null;
  /** Whole days of use after which it is replaced; null: by hand only. */
  readonly rotateDays: number | null;
};

const moves: Readonly<Record<KeyEvent, readonly KeyState[]>> = {
  activate: ['created'],
  retire: ['active'],
  expire: ['active'],
  revoke: ['created', 'active', 'retired', 'expired'],
  destroy: ['created', 'retired', 'expired', 'revoked'],
};
const results: Readonly<Record<KeyEvent, KeyState>> = {
  activate: 'active',
  retire: 'retired',
  expire: 'expired',
  revoke: 'revoked',
  destroy: 'destroyed',
};

/** Whole days after which a device is asked for a new key. Its keys are made and kept at the site. */
const deviceKeyDays = 90;

const dayMs = 86_400_000;

/** When a device's key is to be replaced, and when it ends although it was not: as with the keys of a coordinator. */
export function deviceKeyTimes(sinceMs: number): { readonly dueMs: number; readonly endsMs: number } {
  return { dueMs: sinceMs + deviceKeyDays * dayMs, endsMs: sinceMs + 2 * deviceKeyDays * dayMs };
}

/**
 * The next state of a key.
 *
 * Errors: RangeError when the state does not allow it: nothing comes back from revoked or destroyed, and the key in use is
 *         replaced before it is destroyed.
 */
export function moveKey(key: KeyRecord, event: KeyEvent, nowMs: number): KeyRecord {
  if (!moves[event].includes(key.state)) {
    throw new RangeError(
      `Cannot ${event} key ${key.id} as it must be ${moves[event].join(' or ')}: current value is ${key.state}`,
    );
  }
  const state = results[event];
  return {
    ...key,
    state,
    activatedAtMs: state === 'active' ? nowMs : key.activatedAtMs,
    endedAtMs: state === 'active' ? null : (key.endedAtMs ?? nowMs),
  };
}

/** When a key in use is to be replaced; null where that is done by hand only. */
export function rotationDueMs({ state, activatedAtMs, rotateDays }: KeyRecord): number | null {
  return state !== 'active' || rotateDays === null ? null : activatedAtMs! + rotateDays * dayMs;
}

/**
 * When a key in use ends although nothing has taken its place: after twice the time at which it should have been replaced.
 * Null where no time is set.
 */
export function expiryMs({ state, activatedAtMs, rotateDays }: KeyRecord): number | null {
  return state !== 'active' || rotateDays === null ? null : activatedAtMs! + 2 * rotateDays * dayMs;
}

/** A key as it stands at a moment: one in use whose time has run out is expired, whether somebody has written it down or not. */
export function keyAt<T extends KeyRecord>(key: T, nowMs: number): T {
  const end = expiryMs(key);
  return end === null || nowMs < end ? key : { ...key, ...moveKey(key, 'expire', end) };
}

/** The keys in use whose time has come. */
export function dueForRotation(keys: readonly KeyRecord[], nowMs: number): readonly KeyRecord[] {
  return keys.filter((key) => (rotationDueMs(key) ?? Number.POSITIVE_INFINITY) <= nowMs);
}

/** The one key in use for a purpose, or undefined when there is none: then nothing may be done for that purpose. */
export function activeKey<T extends KeyRecord>(keys: readonly T[], purpose: KeyPurpose): T | undefined {
  return keys.find((key) => key.purpose === purpose && key.state === 'active');
}
