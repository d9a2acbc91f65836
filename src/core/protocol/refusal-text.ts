import { z } from 'zod';

const refusal = z.object({ message: z.string() });

/** The reason in the body of a refusal, for people; what is there instead, in short, where it is no answer of ours. */
export function refusalIn(body: Uint8Array): string {
  const text = new TextDecoder().decode(body);
  try {
    return refusal.parse(JSON.parse(text)).message;
  } catch {
    return `no reason is given, but ${JSON.stringify(text.slice(0, 80))}`;
  }
}
