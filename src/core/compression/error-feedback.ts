import type { Deflate } from '../../ports/deflate.ts';
import type { Codec, EncodeOptions } from './codec.ts';

/** An update as it is sent, and what of it was not. */
export type EncodedWithResidual = { readonly bytes: Uint8Array; readonly residual: Float32Array };

/**
 * Encodes an update together with what earlier ones left out, so that nothing is lost, only late.
 *
 * Formula:  x = v + r;  sent = C(x);  r ← x − C(x), r = 0 before the first.
 * Shapes:   [d], [d] → bytes, [d].
 * Promises: Σ sent + r = Σ v up to the rounding of float32 sums, over any number of updates.
 * Cost:     one encoding, one decoding and two passes.
 * Errors:   RangeError when v and r differ in length.
 * Source:   Stich, Cordonnier, Jaggi 2018, arXiv:1809.07599, algorithm 1; Karimireddy et al. 2019, arXiv:1901.09847.
 *           Differs: v is the change of a whole round of local training and not one gradient, and r moves on only when
 *           the update has counted.
 */
export function encodeWithResidual(
  codec: Codec,
  { vector, residual }: { readonly vector: Float32Array; readonly residual: Float32Array | undefined },
  deflate: Deflate,
  options: EncodeOptions,
): EncodedWithResidual {
  if (residual !== undefined && residual.length !== vector.length) {
    throw new RangeError(
      `Cannot add what was left out as it must have ${vector.length} values: current value is ${residual.length}`,
    );
  }
  const whole = vector.slice();
  if (residual !== undefined) for (let i = 0; i < whole.length; i++) whole[i]! += residual[i]!;
  const bytes = codec.encode(whole, deflate, options);
  const sent = codec.decode(bytes, whole.length, deflate)!;
  for (let i = 0; i < whole.length; i++) whole[i]! -= sent[i]!;
  return { bytes, residual: whole };
}
