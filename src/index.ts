/**
 * QFLARE's public entry point: run a coordinator, take part as a client.
 *
 * The other entry points: `qflare/core` (pure functions) and `qflare/lab` (simulation, attacks, tables).
 */
export { takePart } from './client/agent.ts';
export { RefusedError, TrainerError, VersionError } from './client/ends.ts';
export { enrol } from './client/enrol.ts';
export { formatLink, type Link, LinkError, parseLink } from './client/link.ts';
export { type Coordinator, createCoordinator } from './coordinator/coordinator.ts';
export { createServer } from './coordinator/http/server.ts';
export type { CoordinatorParts } from './coordinator/parts.ts';
export { type Plan, PlanError, type PlanInput, parsePlan, planHash, planSchema } from './core/plan/plan.ts';
export type { RoundRecord } from './core/round/record.ts';
export type { RunRecord } from './core/round/run-record.ts';
export { buildCoordinator } from './node/build-coordinator.ts';
export { joinRun } from './node/join-run.ts';
export { findUnlocking } from './node/unlocking.ts';
export type { Trainer, TrainerEvaluation, TrainerResult, TrainerTask } from './ports/trainer.ts';
