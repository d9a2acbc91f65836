import { createNodeEntropy } from '../adapters/entropy-node.ts';
import { createFileNoiseSource } from '../adapters/noise-source-file.ts';
import { createHttpNoiseSource } from '../adapters/noise-source-http.ts';
import { createMixedEntropy } from '../core/entropy/mixed-entropy.ts';
import { createMonitoredSource, type MonitoredSource } from '../core/entropy/monitored-source.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { NoiseSource } from '../ports/noise-source.ts';

const samplesPerRead = 512;
const pauseMs = 1000;

/** Hosts of public beacons: NIST, Inmetro, drand and its mirrors, Chile. No list of them is whole. */
const beaconHosts = /(^|\.)(beacon|drand)\.|(^|\.)random\.uchile\.cl$/;

/**
 * A further source of randomness, named by a device's path or an https address.
 *
 * Errors: RangeError for a public beacon: what it gives is everybody's, and is never key material.
 */
export function noiseSourceOf(place: string, minEntropyPerSample: number): NoiseSource {
  if (place.startsWith('https://') && beaconHosts.test(URL.parse(place)?.hostname ?? '')) {
    throw new RangeError(
      `Cannot take ${place} as a noise source as it must be secret: it is a public beacon, whose values everybody reads`,
    );
  }
  const description = { name: place, origin: 'device', minEntropyPerSample, windowSize: 512 } as const;
  return place.startsWith('https://')
    ? createHttpNoiseSource({ url: place, tls: {} }, description)
    : createFileNoiseSource(place, description);
}

/**
 * The system's generator with a further source mixed in, never alone. The source is read once a second; one that fails a
 * health test is cut off for good, one that cannot be read is tried again: both are told once.
 */
export function mixNoise(
  source: NoiseSource,
  tell: (what: { readonly kind: 'entropy.cut-off' | 'entropy.unreachable'; readonly detail: string }) => void,
  waitMs = pauseMs,
): { readonly entropy: Entropy; readonly state: MonitoredSource['state']; stop(): void } {
  const monitored = createMonitoredSource(source.description, ({ test, count, cutOff }) =>
    tell({ kind: 'entropy.cut-off', detail: `${source.description.name}: ${test} ${count}, cut-off ${cutOff}` }),
  );
  let isStopped = false;
  let isTold = false;
  let timer: NodeJS.Timeout | undefined;
  async function read(): Promise<void> {
    try {
      monitored.feed(await source.read(samplesPerRead));
      isTold = false;
    } catch (error) {
      if (!isTold) tell({ kind: 'entropy.unreachable', detail: (error as Error).message });
      isTold = true;
    }
    if (isStopped || monitored.state() === 'cut-off') return;
    timer = setTimeout(() => void read(), waitMs);
    timer.unref();
  }
  void read();
  return {
    entropy: createMixedEntropy(createNodeEntropy(), [monitored]),
    state: monitored.state,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
