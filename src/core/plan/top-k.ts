import { z } from 'zod';
import { codecs, type CodecId } from '../compression/index.ts';
import { topShareDefault } from '../compression/top-k.ts';

const topKSchema = z.strictObject({
  share: z
    .number()
    .gt(0)
    .max(1)
    .default(topShareDefault)
    .describe('the share of values that an update keeps: the largest ones'),
  errorFeedback: z
    .boolean()
    .default(true)
    .describe('whether a site keeps what it left out and adds it to its next update'),
});

export type TopK = z.output<typeof topKSchema>;

/** What is there only with the codec `top-k`. */
export const topKSettings = topKSchema
  .optional()
  .describe('with the codec top-k: how much is sent, and what becomes of the rest');

type Given = {
  readonly aggregation: { readonly codec: CodecId; readonly topK?: TopK | undefined };
  readonly privacy: { readonly mode: string };
};

/** The settings of the codec, whole where it is `top-k` and absent elsewhere. */
export function resolveTopK({ aggregation, privacy }: Given): TopK | undefined {
  if (!codecs[aggregation.codec].isSparse) return undefined;
  // Under local privacy each update is noised for itself: see topKProblems.
  return aggregation.topK ?? topKSchema.parse(privacy.mode === 'local' ? { errorFeedback: false } : {});
}

/** What keeps the settings from working, with the nearest that work. */
export function topKProblems({ aggregation, privacy }: Given): readonly { path: string; message: string }[] {
  const { codec, topK } = aggregation;
  if (topK === undefined) return [];
  if (!codecs[codec].isSparse) {
    return [
      {
        path: 'aggregation.topK',
        message: `must be left out with the codec "${codec}" (nearest: codec = "top-k"): current value is ${JSON.stringify(topK)}`,
      },
    ];
  }
  if (privacy.mode !== 'local' || !topK.errorFeedback) return [];
  return [
    {
      path: 'aggregation.topK.errorFeedback',
      message:
        'must be false with privacy.mode "local", as each update is noised for itself and none may carry what another left out (nearest: false): current value is true',
    },
  ];
}
