import { parentPort, workerData } from 'node:worker_threads';
import { tamperedSessions, undisturbedSessions } from './sessions.ts';

const { kind, first, count } = workerData as { kind: 'undisturbed' | 'tampered'; first: number; count: number };
parentPort!.postMessage((kind === 'undisturbed' ? undisturbedSessions : tamperedSessions)(first, count));
