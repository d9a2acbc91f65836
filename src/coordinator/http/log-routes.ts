import { z } from 'zod';
import { witnessNoteRequest } from '../../core/protocol/messages.ts';
import type { Coordinator } from '../coordinator.ts';
import { parse } from './device-surface.ts';
import { HttpError, type Route } from './routes.ts';

const count = z
  .string()
  .regex(/^[0-9]{1,12}$/, 'must be a number')
  .transform(Number);
const inclusionQuery = z.strictObject({ entry: count, size: count });
const consistencyQuery = z.strictObject({ from: count, to: count });

/**
 * What anybody may check of the log: signed tree heads, and proofs, which are hashes and say nothing of what is in an
 * entry. Nothing here changes the run.
 */
export function logRoutes(coordinator: Coordinator, base: string): readonly Route[] {
  const { transparency } = coordinator;

  function prove<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof RangeError) throw new HttpError(400, 'malformed', error.message);
      throw error;
    }
  }

  return [
    {
      method: 'GET',
      url: `${base}/log/checkpoint`,
      role: 'public',
      summary: 'The newest signed tree head of the log, as a C2SP checkpoint',
      handle({ reply }) {
        const checkpoint = transparency.checkpoint();
        if (checkpoint === null) throw new HttpError(404, 'no-checkpoint', 'No tree head has been signed yet');
        return reply.type('text/plain; charset=utf-8').send(checkpoint);
      },
    },
    {
      method: 'GET',
      url: `${base}/log/inclusion`,
      role: 'public',
      summary: 'The proof that an entry is in the log of a size',
      handle: ({ request }) =>
        prove(() => {
          const { entry, size } = parse(inclusionQuery, request.query);
          return transparency.inclusionProof(entry, size);
        }),
    },
    {
      method: 'GET',
      url: `${base}/log/consistency`,
      role: 'public',
      summary: 'The proof that the log of a size continues that of an earlier size',
      handle: ({ request }) =>
        prove(() => {
          const { from, to } = parse(consistencyQuery, request.query);
          return transparency.consistencyProof(from, to);
        }),
    },
    {
      method: 'POST',
      url: `${base}/log/cosignatures`,
      role: 'public',
      summary: 'A checkpoint that a witness of the plan has signed',
      async handle({ request }) {
        const { checkpoint } = parse(witnessNoteRequest, request.body);
        if (await transparency.takeCosignature(checkpoint)) return { accepted: true };
        throw new HttpError(422, 'not-a-witness', 'This is not the newest checkpoint, signed by a witness of the plan');
      },
    },
  ];
}
