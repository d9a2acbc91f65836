import { testGraphCompute } from '../../../test/contracts/graph-compute.ts';
import { createFloat32Runtime } from './float32-runtime.fixture.ts';

const runtime = createFloat32Runtime();
testGraphCompute('graph', () => runtime);
