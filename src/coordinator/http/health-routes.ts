import type { Clock } from '../../ports/clock.ts';
import type { Coordinator } from '../coordinator.ts';
import { HttpError, type Route } from './routes.ts';

/** A write to the store is tried at most this often, however many ask. */
const readyForMs = 5000;

/**
 * What a watchdog asks. `/health`: does the process work, or must it be restarted; it touches no disk. `/ready`: can
 * the coordinator write to its store; anybody may ask, so one answer serves all for five seconds.
 */
export function healthRoutes(coordinator: Coordinator, clock: Clock): readonly Route[] {
  let newest: { readonly atMs: number; readonly answer: Promise<void> } | undefined;

  function checked(): Promise<void> {
    const now = clock.monotonicMs();
    if (newest === undefined || now - newest.atMs >= readyForMs) newest = { atMs: now, answer: coordinator.check() };
    return newest.answer;
  }

  return [
    {
      method: 'GET',
      url: '/health',
      role: 'public',
      summary: 'Whether the coordinator works: 503 when it has halted or hangs',
      handle() {
        if (coordinator.isAlive()) return { status: 'ok' };
        throw new HttpError(503, 'not-alive', 'The coordinator has halted or hangs: restart it');
      },
    },
    {
      method: 'GET',
      url: '/ready',
      role: 'public',
      summary: 'Whether the coordinator can write to its store: 503 when it cannot',
      async handle() {
        await checked().catch(() => {
          throw new HttpError(503, 'not-ready', 'The coordinator cannot write to its store');
        });
        return { status: 'ok' };
      },
    },
  ];
}
