import assert from 'node:assert/strict';
import { parsePlan, PlanError, type PlanInput } from '../../src/core/plan/plan.ts';

/** What is wrong with a plan, a line each; nothing where it is accepted. */
export function planProblems(input: PlanInput): string {
  try {
    parsePlan(input);
  } catch (error) {
    assert.ok(error instanceof PlanError);
    return error.problems.join('\n');
  }
  return '';
}
