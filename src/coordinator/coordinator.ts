import type { Evaluation } from '../core/learning/engine.ts';
import type { Json } from '../core/protocol/canonical-json.ts';
import { originOf } from '../core/transparency/checkpoint.ts';
import type { SignedAnnouncement } from '../core/protocol/messages.ts';
import type { OwnPrivacy } from '../core/protocol/own-privacy.ts';
import { effectOf, phaseOf, type Round, type RoundEffect, type RoundEvent } from '../core/round/round.ts';
import { hiddenKinds } from '../core/transparency/hidden-entry.ts';
import type { Device, JournalRow } from '../ports/store.ts';
import { announce } from './announcement.ts';
import { beginOrContinue } from './creation.ts';
import { endingAfter, stopping } from './ending.ts';
import { createDeviceKeys, type DeviceKeys } from './device-keys.ts';
import { createEnrolment, type Enrolment } from './enrolment.ts';
import { guardedBlobs } from './guarded-blobs.ts';
import { approvedClients, canOpen, isShortOfClients } from './gathering.ts';
import type { Draft } from './journal.ts';
import { createModels, type ModelFile } from './models.ts';
import { createOpenKey } from './open-key.ts';
import type { CoordinatorParts } from './parts.ts';
import { type ClientClaims, type ClientTls, createPresence, isToldToAll } from './presence.ts';
import { createPrivateRounds } from './privacy/private-rounds.ts';
import { decideOpening } from './privacy/opening.ts';
import { createQkdKeys } from './qkd-keys.ts';
import { withRootSet } from './root-set.ts';
import { createReception, type Reception } from './reception.ts';
import { recordOf } from './round-record.ts';
import { aggregateUpdates, combineEvaluations, publishRelease, type Reduced } from './reduction.ts';
import { createRunLog, type Snapshot } from './run-log.ts';
import { advance, hasEnded, roundEventData } from './state.ts';
import { createTransparency, fingerprintsOf, type Transparency } from './transparency.ts';

const tickMs = 100;
const stillMsMax = 30_000;

/** Runs the rounds of one plan. Knows nothing of HTTP; a server or a simulated world drives it. */
export type Coordinator = Omit<Reception, 'updates' | 'metrics' | 'forget' | 'sweep'> & {
  /** Reads the run back and goes on where it stood: in mid-round too. */
  start(): Promise<void>;
  readonly enrolment: Enrolment;
  readonly deviceKeys: DeviceKeys;
  readonly transparency: Transparency;
  readonly layout: string;
  snapshot(): Snapshot;
  /** Throws when the store cannot be written. */
  check(): Promise<void>;
  /** Whether it still works: not halted, and its clockwork has moved within half a minute. Costs nothing. */
  isAlive(): boolean;
  /** A client is there: it hears announcements until it disconnects. */
  connect(
    device: Device,
    tls: ClientTls | null,
    listener: (message: SignedAnnouncement) => void,
    claims?: ClientClaims,
    /** A second connection of the same device takes the place of this one. */
    onReplaced?: () => void,
  ): () => void;
  /** Approved clients that are there. */
  connectedClients(): readonly string[];
  /** Every device that is there, approved or not. */
  connectedDevices(): readonly Device[];
  /** The connected device that says it has this SAE id. */
  saeHolder(saeId: string): Device | undefined;
  /** Clients that have not heard yet that the run is done: after a restart, all of them. */
  untoldClients(): readonly string[];
  model(hash: string): Promise<Uint8Array | undefined>;
  /** A file that the run has published, read part by part: what a site may ask for. */
  modelFile(hash: string): Promise<ModelFile | undefined>;
  /** What a client may be told of its own privacy loss: for nobody else. */
  ownPrivacy(clientId: string): OwnPrivacy | undefined;
  /** HTTP bodies, for the round's record. */
  countBytes(direction: 'up' | 'down', bytes: number): void;
  stop(reason: string): Promise<void>;
  journal(fromSequence: number): Promise<readonly JournalRow[]>;
  /** Journals what happened beside the rounds, such as a source of randomness that was cut off. */
  note(
    kind:
      | `entropy.${string}`
      | `key.${string}`
      | `certificate.${string}`
      | 'channel.differs'
      | 'proof.refused'
      | 'request.refused'
      | 'requests.flood',
    data: Draft['data'],
  ): Promise<void>;
  onCommit(listener: (rows: readonly JournalRow[]) => void): () => void;
  /** Resolves when the run has completed or was stopped; rejects on a storage error. */
  readonly ended: Promise<void>;
  /** Stops working without ending the run: what a killed process leaves is what `start` goes on from. */
  halt(): void;
};

/** A simulated world may take contributions in another way than as envelopes; everybody else leaves it out. */
export function createCoordinator(ports: CoordinatorParts, makeReception = createReception): Coordinator {
  // A disk that refuses a write ends the coordinator, which a restart continues: it is no fault of a client or a round.
  const blobs = guardedBlobs(ports.blobs, failAndThrow);
  const parts: CoordinatorParts = { ...ports, ...withRootSet(ports), blobs };
  const { plan, orgId, runId, clock, crypto, store } = parts;
  const treeHead = { origin: originOf(parts), key: parts.proofKeys.treeHead };
  const isPrivate = plan.privacy.mode === 'central';
  const saltFor = (kind: string) => (isPrivate && hiddenKinds.has(kind) ? crypto.randomBytes(16).toHex() : undefined);
  const log = createRunLog({ store, clock, crypto, orgId, runId, treeHead, saltFor, onFailure: fail });
  const models = createModels(parts);
  const central = isPrivate ? createPrivateRounds(parts, log) : null;
  const enrolment = createEnrolment({ ...parts, log });
  const deviceKeys = createDeviceKeys({ log, crypto, clock, suite: plan.security.suite });
  const bytes = { up: 0, down: 0 };
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => {});
  const qkdKeys = createQkdKeys(parts, log);
  const openKey = createOpenKey(parts, qkdKeys);
  let offsetMs = 0;
  let gatheringSinceMs = 0;
  let performed = '';
  let isOpening = false;
  let isRecovered = false;
  let isFinished = false;
  let isHalted = false;
  let tickedAtMs = clock.monotonicMs();

  const nowMs = () => clock.monotonicMs() + offsetMs;
  const reception = makeReception(parts, log, {
    layout: models.layout,
    roundKey: openKey.of,
    nowMs,
  });

  const presence = createPresence({
    log,
    nowMs,
    announcementFor: (device) =>
      announce(log.snapshot(), device, { parts, layout: models.layout, roundKey: openKey.current() }),
    isHalted: () => isHalted,
    spawn,
  });

  function fail(error: unknown): void {
    if (isHalted) return;
    isHalted = true;
    ended.reject(error);
  }

  function failAndThrow(error: unknown): never {
    fail(error);
    throw error;
  }

  /** Runs something whose failure is the coordinator's failure. */
  function spawn(work: Promise<unknown>): void {
    work.catch(fail);
  }

  function recordEvent(round: number, event: RoundEvent, reduced: Reduced = {}): Promise<void> {
    return log.recordOnLedger((snapshot) => {
      const { run } = snapshot;
      if (run.round?.number !== round) return { result: undefined };
      // The round may have been ended while it was reduced: then there is nothing to publish.
      if (event.kind === 'reduced' && run.round.status !== 'reducing') return { result: undefined };
      const draft: Draft = { kind: 'round.event', round, data: roundEventData(event, nowMs()) };
      return {
        changes: [...(reduced.changes ?? []), ...(reduced.ledger?.(snapshot) ?? [])],
        drafts: [...(reduced.drafts ?? []), draft],
        result: undefined,
      };
    });
  }

  /** Does what the round as it stands asks for, once for each state that it passes through. */
  function perform(): void {
    const { round } = log.snapshot().run;
    if (isHalted || round === null) return;
    const state = `${round.number}/${round.phaseIndex}/${round.status}`;
    if (state === performed) return;
    performed = state;
    spawn(performEffect(round, effectOf(round)));
  }

  async function performEffect(round: Round, effect: RoundEffect): Promise<void> {
    switch (effect.kind) {
      case 'announce':
        presence.announceToAll();
        // All coins fell against taking part: the round goes on at once.
        if (round.participants.length === 0) await recordEvent(round.number, { kind: 'tick', nowMs: nowMs() });
        return;
      case 'reduce':
        try {
          const reduced = await reduce(round, effect.contributions);
          if (!isHalted) await recordEvent(round.number, { kind: 'reduced' }, reduced);
        } catch (error) {
          if (isHalted) return;
          await recordEvent(round.number, { kind: 'failed', reason: (error as Error).message });
        }
        return;
      case 'complete':
      case 'abort':
        await closeRound(round);
    }
  }

  async function reduce(round: Round, contributions: Parameters<typeof reception.updates>[1]): Promise<Reduced> {
    if (phaseOf(round).collects === 'metrics') {
      return combineEvaluations(round, contributions, await reception.metrics(round, contributions));
    }
    const updates = await reception.updates(round, contributions);
    if (central === null) return aggregateUpdates({ parts, log, models }, round, contributions, updates);
    const release = (base: Float32Array) => central.release(round, base, updates);
    return publishRelease({ parts, log, models }, round, { contributions, updates, release });
  }

  /** What a model does on the coordinator's own test set, where the plan gives one. */
  async function evaluate(hash: string): Promise<Evaluation | null> {
    // Where tensors stay at the sites, the coordinator has no whole model to test.
    if (parts.test === null || plan.learning.local.length > 0) return null;
    const parameters = models.workspace();
    await (await models.row(hash)).read(0, parameters);
    return parts.engine.evaluate({ spec: plan.model, parameters, data: parts.test });
  }

  async function closeRound(round: Round): Promise<void> {
    const facts = log.snapshot().run.facts!;
    const modelHash = facts.published?.hash;
    const test = modelHash === undefined ? null : await evaluate(modelHash);
    await qkdKeys.advance(round.number, openKey.current()?.qkd);
    await reception.forget(round);
    await openKey.destroy(round.number);
    gatheringSinceMs = clock.monotonicMs();
    await log.recordOnLedger((snapshot) => {
      const { run } = snapshot;
      if (run.round?.number !== round.number) return { result: undefined };
      const record = recordOf(run.round, run.facts!, { test, bytes: { ...bytes }, atMs: clock.wallMs() });
      bytes.up = 0;
      bytes.down = 0;
      const closed: Draft = {
        kind: 'round.closed',
        round: round.number,
        data: record as unknown as { [key: string]: Json },
      };
      const ending = run.status === 'running' ? endingAfter(run, record, plan) : [];
      const changes = central?.closing(snapshot) ?? [];
      return { changes, drafts: [closed, ...ending], result: undefined };
    });
    await central?.forget();
  }

  /** Opens the next round when enough clients are there. */
  async function maybeOpen(): Promise<void> {
    const { run } = log.snapshot();
    if (isHalted || isOpening || run.round !== null || hasEnded(run)) return;
    if (!isReady(readyClients()) || qkdKeys.isPaused()) return;
    isOpening = true;
    try {
      const number = nextRound();
      const { key, qkd } = await openKey.create(number, readyDevices(), presence.saeOf);
      const isOpened = await log.recordOnLedger((snapshot) =>
        // Who is there is asked again: meanwhile clients may have left, and the operator may have ended the run.
        decideOpening(
          snapshot,
          { round: number, present: qkd.served(readyClients()), secondsOf: presence.secondsOf, plan, central },
          { roundKey: key.key.publicKey.toBase64(), ...qkd.journaled, nowMs: nowMs() },
        ),
      );
      if (!isOpened) {
        await openKey.destroy(number);
        qkdKeys.pause();
      }
    } finally {
      isOpening = false;
      if (hasEnded(log.snapshot().run)) spawn(finish());
    }
  }

  function nextRound(): number {
    return (log.snapshot().run.records.at(-1)?.round ?? 0) + 1;
  }

  /** The end of the run, once nothing of it is open: a key that was made for a round that never opened goes too. */
  async function finish(): Promise<void> {
    if (isOpening || isFinished || log.snapshot().run.round !== null) return;
    isFinished = true;
    await openKey.destroy(nextRound());
    ended.resolve();
  }

  function readyDevices(): readonly Device[] {
    const { devices } = log.snapshot();
    return presence.devices().filter(({ deviceId }) => devices.get(deviceId)?.status === 'approved');
  }

  function readyClients(): readonly string[] {
    return approvedClients(log.snapshot(), presence.devices());
  }

  function isReady(present: readonly string[]): boolean {
    const snapshot = log.snapshot();
    if (isShortOfClients(snapshot, plan)) gatheringSinceMs = clock.monotonicMs();
    return canOpen(snapshot, plan, { present, gatheringMs: clock.monotonicMs() - gatheringSinceMs });
  }

  async function tick(): Promise<void> {
    tickedAtMs = clock.monotonicMs();
    await deviceKeys.expire();
    const { round } = log.snapshot().run;
    if (round !== null && advance(round, { kind: 'tick', nowMs: nowMs() }, nowMs()).effects.length > 0) {
      await recordEvent(round.number, { kind: 'tick', nowMs: nowMs() });
    }
    await maybeOpen();
  }

  async function tickForever(): Promise<void> {
    while (!isHalted) {
      await clock.sleep(tickMs);
      if (!isHalted) await tick();
    }
  }

  async function recover(): Promise<void> {
    const { round } = log.snapshot().run;
    if (round === null) return;
    offsetMs = round.nowMs - clock.monotonicMs();
    const isOver = round.status === 'completed' || round.status === 'aborted';
    if (!(await openKey.restore(round.number)) && !isOver) {
      await recordEvent(round.number, { kind: 'failed', reason: 'the key of the round is gone: it is repeated' });
    }
    for (const clientId of round.participants) await recordEvent(round.number, { kind: 'left', clientId });
  }

  log.onCommit((rows) => {
    // What is recorded while the run is read back must not start work that needs the key of the round.
    if (!isRecovered) return;
    perform();
    const { run } = log.snapshot();
    if (rows.some(({ entry }) => isToldToAll(entry.kind))) presence.announceToAll();
    if (!hasEnded(run)) spawn(maybeOpen());
    // A round that was open when the run was stopped is closed first: its key must not outlive it.
    else if (run.round === null) spawn(finish());
  });

  return {
    enrolment,
    deviceKeys,
    transparency: createTransparency(parts, log),
    bodyBytesMax: reception.bodyBytesMax,
    headBytesMax: reception.headBytesMax,
    layout: models.layout,
    ended: ended.promise,
    snapshot: log.snapshot,
    async start() {
      await log.load();
      gatheringSinceMs = clock.monotonicMs();
      await beginOrContinue(parts, log, models);
      await reception.sweep();
      const { run } = log.snapshot();
      await qkdKeys.load(run.records.at(-1)?.round ?? 0);
      if (!hasEnded(run)) await central?.start();
      const started = { kind: 'server.started', data: { pin: parts.pin, keys: fingerprintsOf(parts) } };
      await log.record(() => ({ drafts: [started], result: undefined }));
      if (hasEnded(run)) {
        isRecovered = true;
        perform();
        if (run.round === null) spawn(finish());
        return;
      }
      await deviceKeys.expire();
      await recover();
      isRecovered = true;
      perform();
      spawn(tickForever());
    },
    submit: reception.submit,
    beginUpload: reception.beginUpload,
    uploadState: reception.uploadState,
    continueUpload: reception.continueUpload,
    refuse: reception.refuse,
    decline: reception.decline,
    check: () => store.check(),
    isAlive: () => !isHalted && (isFinished || clock.monotonicMs() - tickedAtMs < stillMsMax),
    connect: presence.connect,
    connectedClients: readyClients,
    connectedDevices: presence.devices,
    saeHolder: presence.holderOf,
    untoldClients: () => presence.untold(),
    model: (hash) => blobs.get(hash),
    modelFile: (hash) => models.published(hash, log.snapshot().models),
    ownPrivacy: (clientId) => central?.own(log.snapshot(), clientId),
    countBytes: (direction, count) => void (bytes[direction] += count),
    stop: (reason) => log.record(({ run }) => ({ drafts: stopping(run, reason, nowMs()), result: undefined })),
    journal: (fromSequence) => store.journal(fromSequence),
    note: (kind, data) => log.record(() => ({ drafts: [{ kind, data }], result: undefined })),
    onCommit: log.onCommit,
    halt: () => void (isHalted = true),
  };
}
