import type { Evaluation } from '../core/learning/engine.ts';
import { PlanError, planHash } from '../core/plan/plan.ts';
import type { Json } from '../core/protocol/canonical-json.ts';
import type { SignedAnnouncement } from '../core/protocol/messages.ts';
import { phasesOf } from '../core/round/phases.ts';
import { effectOf, phaseOf, type Round, type RoundEffect, type RoundEvent } from '../core/round/round.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { RoundKey } from '../ports/crypto.ts';
import type { Device, JournalRow } from '../ports/store.ts';
import { announce } from './announcement.ts';
import { endingAfter } from './ending.ts';
import { createEnrolment, type Enrolment } from './enrolment.ts';
import { approvedClients, canOpen, isShortOfClients, selectParticipants } from './gathering.ts';
import type { Draft } from './journal.ts';
import { createModels, type ModelFile } from './models.ts';
import type { CoordinatorParts } from './parts.ts';
import { type ClientTls, createPresence } from './presence.ts';
import { createReception, type Reception } from './reception.ts';
import { recordOf } from './round-record.ts';
import { aggregateUpdates, combineEvaluations, type Reduced } from './reduction.ts';
import { createRunLog, type Snapshot } from './run-log.ts';
import { advance, hasEnded, roundEventData } from './state.ts';

const tickMs = 100;

/** Runs the rounds of one plan. Knows nothing of HTTP; a server or a simulated world drives it. */
export type Coordinator = Omit<Reception, 'updates' | 'metrics' | 'forget'> & {
  /** Reads the run back and goes on where it stood: in mid-round too. */
  start(): Promise<void>;
  readonly enrolment: Enrolment;
  readonly layout: string;
  snapshot(): Snapshot;
  /** Throws when the store cannot be written. */
  check(): Promise<void>;
  /** A client is there: it hears announcements until it disconnects. */
  connect(device: Device, tls: ClientTls | null, listener: (message: SignedAnnouncement) => void): () => void;
  /** Approved clients that are there. */
  connectedClients(): readonly string[];
  /** Every device that is there, approved or not. */
  connectedDevices(): readonly Device[];
  /** Clients that have not heard yet that the run is done: after a restart, all of them. */
  untoldClients(): readonly string[];
  model(hash: string): Promise<Uint8Array | undefined>;
  /** The same, read part by part. */
  modelFile(hash: string): Promise<ModelFile | undefined>;
  /** HTTP bodies, for the round's record. */
  countBytes(direction: 'up' | 'down', bytes: number): void;
  stop(reason: string): Promise<void>;
  journal(fromSequence: number): Promise<readonly JournalRow[]>;
  onCommit(listener: (rows: readonly JournalRow[]) => void): () => void;
  /** Resolves when the run has completed or was stopped; rejects on a storage error. */
  readonly ended: Promise<void>;
  /** Stops working without ending the run: what a killed process leaves is what `start` goes on from. */
  halt(): void;
};

/** A simulated world may take contributions in another way than as envelopes; everybody else leaves it out. */
export function createCoordinator(ports: CoordinatorParts, makeReception = createReception): Coordinator {
  // A disk that refuses a write ends the coordinator, which a restart continues: it is no fault of a client or a round.
  const blobs: Blobs = {
    ...ports.blobs,
    put: (content) => ports.blobs.put(content).catch(failAndThrow),
    remove: (hash) => ports.blobs.remove(hash).catch(failAndThrow),
    arriving: {
      ...ports.blobs.arriving,
      write: (name, offset, part) => ports.blobs.arriving.write(name, offset, part).catch(failAndThrow),
      settle: (name) => ports.blobs.arriving.settle(name).catch(failAndThrow),
      remove: (name) => ports.blobs.arriving.remove(name).catch(failAndThrow),
    },
  };
  const parts: CoordinatorParts = { ...ports, blobs };
  const { plan, orgId, runId, clock, crypto, store, roundKeys } = parts;
  const log = createRunLog({ store, clock, crypto, orgId, runId, onFailure: fail });
  const models = createModels(parts);
  const enrolment = createEnrolment({ ...parts, log });
  const bytes = { up: 0, down: 0 };
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => {});
  let roundKey: { readonly round: number; readonly key: RoundKey } | undefined;
  let offsetMs = 0;
  let gatheringSinceMs = 0;
  let performed = '';
  let isOpening = false;
  let isRecovered = false;
  let isFinished = false;
  let isHalted = false;

  const nowMs = () => clock.monotonicMs() + offsetMs;
  const reception = makeReception(parts, log, {
    layout: models.layout,
    roundKey: (round) => (roundKey?.round === round ? roundKey.key : undefined),
    nowMs,
  });

  const presence = createPresence({
    log,
    nowMs,
    announcementFor: (device) => announce(log.snapshot(), device, { parts, layout: models.layout, roundKey }),
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
    return log.record(({ run }) => {
      if (run.round?.number !== round) return { result: undefined };
      // The round may have been ended while it was reduced: then there is nothing to publish.
      if (event.kind === 'reduced' && run.round.status !== 'reducing') return { result: undefined };
      const draft: Draft = { kind: 'round.event', round, data: roundEventData(event, nowMs()) };
      return { ...reduced, drafts: [...(reduced.drafts ?? []), draft], result: undefined };
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
    return aggregateUpdates({ parts, log, models }, round, contributions, updates);
  }

  /** What a model does on the coordinator's own test set, where the plan gives one. */
  async function evaluate(hash: string): Promise<Evaluation | null> {
    if (parts.test === null) return null;
    const parameters = models.workspace();
    await (await models.row(hash)).read(0, parameters);
    return parts.engine.evaluate({ spec: plan.model, parameters, data: parts.test });
  }

  async function closeRound(round: Round): Promise<void> {
    const facts = log.snapshot().run.facts!;
    const modelHash = facts.published?.hash;
    const test = modelHash === undefined ? null : await evaluate(modelHash);
    await reception.forget(round);
    await roundKeys.destroy(round.number);
    roundKey = undefined;
    gatheringSinceMs = clock.monotonicMs();
    await log.record(({ run }) => {
      if (run.round?.number !== round.number) return { result: undefined };
      const record = recordOf(run.round, run.facts!, { test, bytes: { ...bytes }, atMs: clock.wallMs() });
      bytes.up = 0;
      bytes.down = 0;
      const closed: Draft = {
        kind: 'round.closed',
        round: round.number,
        data: record as unknown as { [key: string]: Json },
      };
      const ending = run.status === 'running' ? endingAfter([...run.records, record], plan) : [];
      return { drafts: [closed, ...ending], result: undefined };
    });
  }

  /** Opens the next round when enough clients are there. */
  async function maybeOpen(): Promise<void> {
    const { run, models: rows } = log.snapshot();
    if (isHalted || isOpening || run.round !== null || hasEnded(run)) return;
    if (!isReady(readyClients())) return;
    isOpening = true;
    try {
      const number = nextRound();
      const key = await crypto.generateRoundKey();
      const secret = key.exportSecret();
      await roundKeys.put(number, secret);
      secret.fill(0);
      roundKey = { round: number, key };
      const isOpened = await log.record(({ run: newest }) => {
        // Who is there is asked again: meanwhile clients may have left, and the operator may have ended the run.
        const participants = selectParticipants(readyClients(), number, plan);
        if (newest.round !== null || hasEnded(newest) || participants.length < plan.cohort.quorum)
          return { result: false };
        return {
          drafts: [
            {
              kind: 'round.opened',
              round: number,
              data: {
                participants,
                phases: phasesOf(plan, participants.length) as unknown as Json,
                baseModel: rows.at(-1)!.hash,
                roundKey: key.publicKey.toBase64(),
                nowMs: nowMs(),
              },
            },
          ],
          result: true,
        };
      });
      if (!isOpened) await roundKeys.destroy(number);
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
    await roundKeys.destroy(nextRound());
    ended.resolve();
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
    const secret = await roundKeys.get(round.number);
    if (secret === undefined) {
      if (round.status !== 'completed' && round.status !== 'aborted') {
        await recordEvent(round.number, { kind: 'failed', reason: 'the key of the round is gone: it is repeated' });
      }
    } else {
      roundKey = { round: round.number, key: await crypto.importRoundKey(secret) };
    }
    for (const clientId of round.participants) await recordEvent(round.number, { kind: 'left', clientId });
  }

  log.onCommit((rows) => {
    // What is recorded while the run is read back must not start work that needs the key of the round.
    if (!isRecovered) return;
    perform();
    const { run } = log.snapshot();
    const kinds = new Set(rows.map(({ entry }) => entry.kind));
    const changed = ['run.completed', 'run.stopped', 'device.status', 'device.enrolled'];
    if (changed.some((kind) => kinds.has(kind))) presence.announceToAll();
    if (!hasEnded(run)) spawn(maybeOpen());
    // A round that was open when the run was stopped is closed first: its key must not outlive it.
    else if (run.round === null) spawn(finish());
  });

  return {
    enrolment,
    bodyBytesMax: reception.bodyBytesMax,
    headBytesMax: reception.headBytesMax,
    layout: models.layout,
    ended: ended.promise,
    snapshot: log.snapshot,
    async start() {
      await log.load();
      gatheringSinceMs = clock.monotonicMs();
      const { models: rows, run } = log.snapshot();
      if (run.planHash !== null && run.planHash !== planHash(plan)) {
        throw new PlanError([
          `the plan of a run must stay as it was when the run began (hash ${run.planHash.slice(0, 16)}…): current value is ${planHash(plan).slice(0, 16)}…`,
        ]);
      }
      if (rows.length === 0) {
        const model = await models.writeInitial();
        await log.record(() => ({
          changes: [{ kind: 'model', model }],
          drafts: [
            {
              kind: 'run.created',
              data: { planHash: planHash(plan), plan: plan as unknown as Json, model: model.hash },
            },
          ],
          result: undefined,
        }));
      }
      await log.record(() => ({ drafts: [{ kind: 'server.started', data: { pin: parts.pin } }], result: undefined }));
      if (hasEnded(run)) {
        isRecovered = true;
        perform();
        if (run.round === null) spawn(finish());
        return;
      }
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
    check: () => store.check(),
    connect: presence.connect,
    connectedClients: readyClients,
    connectedDevices: presence.devices,
    untoldClients: () => presence.untold(),
    model: (hash) => blobs.get(hash),
    modelFile: (hash) => models.file(hash),
    countBytes: (direction, count) => {
      bytes[direction] += count;
    },
    stop: (reason) =>
      log.record(({ run }) => {
        if (hasEnded(run)) return { result: undefined };
        const event: RoundEvent = { kind: 'failed', reason };
        const open: Draft[] =
          run.round === null
            ? []
            : [{ kind: 'round.event', round: run.round.number, data: roundEventData(event, nowMs()) }];
        return { drafts: [...open, { kind: 'run.stopped', data: { reason } }], result: undefined };
      }),
    journal: (fromSequence) => store.journal(fromSequence),
    onCommit: log.onCommit,
    halt() {
      isHalted = true;
    },
  };
}
