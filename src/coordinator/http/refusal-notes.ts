import type { Clock } from '../../ports/clock.ts';
import type { Coordinator } from '../coordinator.ts';

/** Anybody can send what is refused here: it must not fill the disk. */
const eachHourMax = 20;
const hourMs = 3_600_000;

/** Journals refusals of what nobody has authenticated: so many for each code and hour, by the coordinator's clock. */
export type RefusalNotes = {
  add(kind: 'channel.differs' | 'proof.refused' | 'request.refused', code: string, data?: Record<string, string>): void;
};

export function createRefusalNotes(coordinator: Pick<Coordinator, 'note'>, clock: Clock): RefusalNotes {
  const counts = new Map<string, number>();
  let hour = 0;

  return {
    add(kind, code, data = {}) {
      const now = Math.floor(clock.monotonicMs() / hourMs);
      if (now !== hour) counts.clear();
      hour = now;
      const id = `${kind} ${code}`;
      const count = (counts.get(id) ?? 0) + 1;
      counts.set(id, count);
      if (count > eachHourMax) return;
      // The last one says that there may be more.
      const isLast = count === eachHourMax ? { more: 'not journaled within this hour' } : {};
      void coordinator.note(kind, { code, ...data, ...isLast }).catch(() => {});
    },
  };
}
