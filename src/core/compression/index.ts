import type { Codec } from './codec.ts';
import { float16Zstd } from './float16-zstd.ts';
import { float32 } from './float32.ts';
import { int8Zstd } from './int8-zstd.ts';
import { topK } from './top-k.ts';

/** Update codecs by the name that a plan uses. */
export const codecs = {
  float32,
  'float16-zstd': float16Zstd,
  'int8-zstd': int8Zstd,
  'top-k': topK,
} as const satisfies Record<string, Codec>;

export type CodecId = keyof typeof codecs;

export const codecIds = Object.keys(codecs) as [CodecId, ...CodecId[]];
