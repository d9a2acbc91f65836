import { ownPrivacy, type OwnPrivacy, ownPrivacyLine } from '../core/protocol/own-privacy.ts';

/** Hears what the coordinator tells this client alone of its loss, and says it once per connection. */
export function createOwnPrivacy(say: (text: string) => void) {
  let newest: OwnPrivacy | undefined;
  let isSaid = true;
  return {
    /** A new stream: what stands at its start is worth a line. */
    connected: () => void (isSaid = false),
    started: () => void (isSaid = true),
    /** A figure of another version or form is passed over: nothing rests on it. */
    hear(data: string): void {
      const parsed = ownPrivacy.safeParse(jsonOf(data));
      if (!parsed.success) return;
      newest = parsed.data;
      if (!isSaid && newest.plan > 0) say(ownPrivacyLine(newest));
    },
    newest: () => newest,
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
