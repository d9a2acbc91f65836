import { z } from 'zod';
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

/** The witnesses of a plan as keys. */
export function witnessesOf(plan: { readonly transparency: z.output<typeof transparencySchema> }): readonly NoteKey[] {
  return plan.transparency.witnesses.map((text) => parseVerifierKey(text)!);
}
