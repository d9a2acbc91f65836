import { type Plan, PlanError, parsePlan, planHash } from '../core/plan/plan.ts';
import { enrolmentRequest } from '../core/protocol/invitation.ts';
import { enrolResponse } from '../core/protocol/messages.ts';
import { refusalIn } from '../core/protocol/refusal-text.ts';
import { isOfSuite, provesAs, suiteDefault, suites } from '../core/protocol/suite.ts';
import type { Crypto } from '../ports/crypto.ts';
import type { Identity, IdentityStore } from '../ports/identity.ts';
import { type Transport, TransportError } from '../ports/transport.ts';
import { RefusedError, VersionError } from './ends.ts';
import type { Link } from './link.ts';

/**
 * Enrols this device, or finds that it is enrolled already.
 *
 * The key is made and saved before the coordinator is asked: when the answer is lost, the same key asks again and gets the
 * same answer. The link's token is not sent: what is sent proves it, for this connection only.
 */
export async function enrol(parts: {
  readonly link: Link;
  readonly name: string;
  readonly store: IdentityStore;
  readonly crypto: Crypto;
  readonly transport: Transport;
}): Promise<Identity> {
  const { link, name, store, crypto, transport } = parts;
  const known = await store.load();
  if (known?.deviceId !== undefined) return known as Identity;

  const fresh =
    known?.signingSeed === undefined
      ? crypto.generateSigningKey(suites[link.suite ?? suiteDefault].signature)
      : undefined;
  const signingSeed = known?.signingSeed ?? fresh!.exportSeed().toBase64();
  if (fresh !== undefined) await store.save({ signingSeed });
  const key = crypto.importSigningKey(Uint8Array.fromBase64(signingSeed));

  const said = { token: link.token, suite: link.suite ?? suiteDefault, name, key, pin: link.pin.toHex() };
  const jsonOver = (channel: string) => enrolmentRequest({ ...said, channel }, crypto);
  const reply = await transport.request({ method: 'POST', path: '/v1/enrol', jsonOver });
  if (reply.status === 404) throw new VersionError('it has no /v1/enrol');
  if (reply.status === 400) {
    throw new TransportError('security', `The coordinator refused to enrol this device: ${refusalIn(reply.body)}`);
  }
  if (reply.status >= 500) throw new TransportError('network', `The coordinator answered ${reply.status}`);
  const body: unknown = JSON.parse(new TextDecoder().decode(reply.body));
  if (reply.status !== 200) {
    throw new RefusedError((body as { message?: string }).message ?? `The coordinator answered ${reply.status}`);
  }
  const parsed = enrolResponse.safeParse(body);
  if (!parsed.success) throw new VersionError('its answer has another form');
  const answer = parsed.data;
  const plan = readPlan(answer.plan);
  if (planHash(plan) !== answer.planHash) throw new VersionError('its plan does not match its hash');
  const rootKey = Uint8Array.fromBase64(answer.coordinatorKey);
  if (link.root !== undefined && !crypto.isEqual(crypto.sha256(rootKey), link.root)) {
    throw new TransportError(
      'security',
      'The coordinator does not hold the root key that the link names: this is another coordinator, or somebody in between',
    );
  }
  if (!isOfSuite(plan.security.suite, rootKey)) {
    throw new RefusedError(
      'Cannot join as announcements must be signed as the suite of the plan says: the key is of another kind',
    );
  }
  if (!provesAs(plan.security.suite, Uint8Array.fromBase64(answer.logKey))) {
    throw new RefusedError(
      'Cannot join as tree heads must be signed as the suite of the plan says: the key of the log is of another kind',
    );
  }
  const identity: Identity = {
    signingSeed,
    orgId: answer.orgId,
    runId: answer.runId,
    deviceId: answer.deviceId,
    clientId: answer.clientId,
    coordinatorKey: answer.coordinatorKey,
    logKey: answer.logKey,
    planHash: answer.planHash,
    plan: answer.plan,
  };
  await store.save(identity);
  return identity;
}

/** A plan that this release cannot read is one of another release: the coordinator has accepted it. */
function readPlan(plan: unknown): Plan {
  try {
    return parsePlan(plan);
  } catch (error) {
    if (error instanceof PlanError) throw new VersionError(`its plan has ${error.problems.join('; ')}`);
    throw error;
  }
}
