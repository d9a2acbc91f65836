import { bytes } from '../../vector/kernels/nn.wasm.ts';
import { bytes as convBytes } from '../../vector/kernels/nn-conv.wasm.ts';

/** The exports of assembly/nn.ts. Pointers are byte offsets into the memory. */
export type NnKernels = {
  heapBase(): number;
  denseForward(
    x: number,
    w: number,
    bias: number,
    y: number,
    rows: number,
    inputs: number,
    outputs: number,
    outputStride: number,
    relu: number,
  ): void;
  broadcastProduct(
    a: number,
    aRow: number,
    aColumn: number,
    b: number,
    bStride: number,
    c: number,
    cStride: number,
    m: number,
    n: number,
    k: number,
  ): void;
  reluBackward(gradient: number, activation: number, count: number): void;
  columnSums(matrix: number, rows: number, columns: number, stride: number, sums: number): void;
  softmaxCrossEntropy(
    logits: number,
    labels: number,
    rows: number,
    paddedRows: number,
    classes: number,
    stride: number,
    scale: number,
    statistics: number,
  ): void;
  sgdStep(
    w: number,
    gradient: number,
    velocity: number,
    count: number,
    rate: number,
    momentum: number,
    weightDecay: number,
  ): void;
  addScaledDifference(target: number, a: number, b: number, count: number, factor: number): void;
  addInto(target: number, source: number, count: number): void;
  fillZero(values: number, count: number): void;
  scaleInPlace(values: number, count: number, factor: number): void;
  bytesToFloats(source: number, target: number, count: number, scale: number): void;
};

/** The exports of assembly/nn-conv.ts, which has no tables of its own in the memory. */
export type ConvKernels = {
  placeImages(
    source: number,
    sourceStride: number,
    image: number,
    imageStride: number,
    samples: number,
    height: number,
    width: number,
    channels: number,
  ): void;
  convForward(
    image: number,
    imageStride: number,
    weights: number,
    bias: number,
    pooled: number,
    pooledStride: number,
    pooledRow: number,
    chosen: number,
    samples: number,
    height: number,
    width: number,
    channels: number,
    outputs: number,
  ): void;
  convRearrange(panels: number, rows: number, channels: number, outputs: number, isBack: number): void;
  convBackward(
    image: number,
    imageStride: number,
    weightRows: number,
    pooled: number,
    slope: number,
    pooledStride: number,
    pooledRow: number,
    chosen: number,
    gradientRows: number,
    biasGradient: number,
    imageGradient: number,
    list: number,
    samples: number,
    height: number,
    width: number,
    channels: number,
    outputs: number,
  ): void;
};

/** Kernels with a memory of their own that grows and is used again by the next job: fresh pages are dear. */
export type NnMachine = {
  readonly kernels: NnKernels & ConvKernels;
  readonly memory: WebAssembly.Memory;
  /** Makes room for that many bytes in all and zeroes everything after the tables. */
  reserve(byteCount: number): void;
};

const pageBytes = 65_536;

export function createNnMachine(): NnMachine {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65_536, shared: true });
  const [dense, conv] = [bytes, convBytes].map(
    (code) => new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory, abort } }).exports,
  );
  const kernels = { ...conv, ...dense } as unknown as NnKernels & ConvKernels;
  const start = kernels.heapBase();
  return {
    kernels,
    memory,
    reserve(byteCount) {
      const pages = Math.ceil(byteCount / pageBytes) - memory.buffer.byteLength / pageBytes;
      if (pages > 0) memory.grow(pages);
      // The kernel's fill: that of a typed array on shared memory is several times slower.
      kernels.fillZero(start, Math.ceil((byteCount - start) / 4));
    },
  };
}

function abort(): never {
  throw new Error('a training kernel aborted');
}
