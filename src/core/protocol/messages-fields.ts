import { z } from 'zod';

/** Bytes of a fixed length as base64. */
export const base64Field = (bytes: number) => z.base64().length(4 * Math.ceil(bytes / 3));

export const signingKeyText = base64Field(1952);
export const signatureText = base64Field(3309);
