import { z } from 'zod';

/** Whether a device shows a certificate when it connects: a lock beyond the pinned server and the signed challenge. */
export const clientCertificatesSchema = z
  .enum(['off', 'required'])
  .default('off')
  .describe(
    'mutual TLS. required: a device must connect with a certificate that the coordinator’s own authority has issued to it, which "qflare join" asks for by itself; a browser cannot',
  );
