import { z } from 'zod';
import { schemeBytes, type SignatureScheme, signatureSchemes } from './signature-scheme.ts';

/** Bytes of a fixed length as base64. */
export const base64Field = (bytes: number) => z.base64().length(4 * Math.ceil(bytes / 3));

const schemes = Object.keys(signatureSchemes) as SignatureScheme[];
const ofAnyScheme = (size: 'publicKeyBytes' | 'signatureBytes') =>
  z.union(schemes.map((scheme) => base64Field(schemeBytes(scheme, size))));

/** A device's or a coordinator's key and signature: of any scheme here; the plan's suite says which one is taken. */
export const deviceKeyText = ofAnyScheme('publicKeyBytes');
export const deviceSignatureText = ofAnyScheme('signatureBytes');
