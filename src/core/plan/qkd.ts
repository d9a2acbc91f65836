import { z } from 'zod';

/** What a plan says of keys from a QKD link. Losing such keys never goes below ML-KEM-768 and X25519. */
export const qkdSchema = z
  .strictObject({
    policy: z
      .enum(['off', 'preferred', 'required'])
      .default('off')
      .describe(
        'keys from a QKD link (ETSI GS QKD 014) in the key schedule of each update: off; preferred: where a site has one, and status says where it has not; required: a site without one does not take part',
      ),
  })
  .prefault({});
