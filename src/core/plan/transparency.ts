import { z } from 'zod';
import { type PlainSuiteId, provesAs, suites } from '../protocol/suite.ts';
import { type NoteKey, parseVerifierKey } from '../transparency/signed-note.ts';

const witness = z
  .string()
  .refine((text) => parseVerifierKey(text)?.type === 'cosignature', 'must be the verifier key of a witness');

/** What is asked of the log beyond the coordinator's own signature. */
export const transparencySchema = z.strictObject({
  witnesses: z
    .array(witness)
    .max(15)
    .default([])
    .describe('verifier keys of witnesses that may sign the log’s tree heads ("qflare audit witness" prints one)'),
});

/** Witnesses sign as the log does: a weaker key among them would be trusted like the rest. */
export function witnessProblems(
  transparency: z.output<typeof transparencySchema>,
  suite: PlainSuiteId,
): readonly { path: string[]; message: string }[] {
  const { provedBy } = suites[suite];
  return transparency.witnesses.flatMap((text, i) =>
    provesAs(suite, parseVerifierKey(text)!.publicKey)
      ? []
      : [
          {
            path: ['transparency', 'witnesses', String(i)],
            message: `must be a key of ${provedBy} under suite ${suite} ("qflare audit witness FOLDER --algorithm ${provedBy}" makes one)`,
          },
        ],
  );
}

/** The witnesses of a plan as keys. */
export function witnessesOf(plan: { readonly transparency: z.output<typeof transparencySchema> }): readonly NoteKey[] {
  return plan.transparency.witnesses.map((text) => parseVerifierKey(text)!);
}
