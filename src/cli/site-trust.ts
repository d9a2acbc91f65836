import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { deviceKeyText } from '../core/protocol/messages-fields.ts';
import { DamagedError } from '../ports/damage.ts';

/** What an audit takes of a site's identity; the rest of it is the site's own. */
const siteTrust = z.object({ logKey: deviceKeyText, log: z.string().min(1).max(60_000).optional() });

/**
 * The key of the log that a site was given at enrolment, and the newest tree head that it has seen.
 *
 * Errors: DamagedError for a file that is no identity of a site.
 */
export async function readSiteTrust(
  folder: string,
): Promise<{ readonly logKey: Uint8Array; readonly log: string | undefined }> {
  const path = join(folder, 'identity.json');
  const text = await readFile(path, 'utf8');
  try {
    const { logKey, log } = siteTrust.parse(JSON.parse(text));
    return { logKey: Uint8Array.fromBase64(logKey), log };
  } catch (error) {
    const why =
      error instanceof z.ZodError
        ? `its "${error.issues[0]!.path.join('.')}" is none: ${error.issues[0]!.message}`
        : 'it is no JSON';
    throw new DamagedError(`Cannot trust ${path} as it must be the identity of a site that has enrolled: ${why}`);
  }
}
