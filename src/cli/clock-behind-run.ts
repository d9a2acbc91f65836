import type { Snapshot } from '../coordinator/run-log.ts';
import type { Plan } from '../core/plan/plan.ts';

const backMsMax = 5 * 60_000;

/** A sentence when this machine's clock is behind what the run has written down: links expire by that clock. */
export function clockBehindRun(
  nowMs: number,
  { run, invitations, devices }: Snapshot,
  { enrolment }: Plan,
): string | undefined {
  const newestMs = Math.max(
    ...[...invitations.values()].map(({ expiresAtMs }) => expiresAtMs - enrolment.linkHours * 3_600_000),
    ...[...devices.values()].map(({ enrolledAtMs }) => enrolledAtMs),
    run.facts?.startedAtMs ?? 0,
  );
  if (newestMs - nowMs <= backMsMax) return undefined;
  return (
    `clock: this machine's clock must not be before what the run has recorded (${iso(newestMs)}): it is ${iso(nowMs)}. ` +
    'Set it: links expire by it, rounds do not depend on it'
  );
}

function iso(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16);
}
