export type GraphArray = Float32Array | Uint8Array;

/** A tensor that is fed or filled: the memory stays the caller's. */
export type GraphTensor = { readonly data: GraphArray; readonly shape: readonly number[] };

export type GraphTensors = Readonly<Record<string, GraphTensor>>;

/** A compiled graph. `bind` prepares a call on fixed memory, which may then be made again with other contents. */
export type GraphSession = { bind(inputs: GraphTensors, outputs: GraphTensors): () => Promise<void> };

/** What runs ONNX graphs. */
export type GraphRuntime = { readonly name: string; load(model: Uint8Array): Promise<GraphSession> };
