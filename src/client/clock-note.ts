const offMsMax = 5 * 60_000;

/** A sentence when this machine's clock and the coordinator's are far apart; rounds do not depend on either. */
export function clockNote(ownMs: number, coordinatorMs: number | undefined): string | undefined {
  if (coordinatorMs === undefined || Math.abs(ownMs - coordinatorMs) <= offMsMax) return undefined;
  const minutes = Math.round(Math.abs(ownMs - coordinatorMs) / 60_000);
  const side = ownMs > coordinatorMs ? 'ahead of' : 'behind';
  return (
    `clock: this machine's clock should agree with the coordinator's to 5 minutes: it is ${minutes} minutes ${side} it. ` +
    'Rounds do not depend on it; times in logs do'
  );
}
