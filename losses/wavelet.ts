import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import type { Loss } from "../core/contracts.ts";
import { defineLoss } from "../core/define.ts";

type Weight = z.ZodDefault<z.ZodNumber>;

const weight: Weight = z.number().nonnegative().default(1);

const options: z.ZodObject<{
  l1: Weight;
  l2: Weight;
  bandWeights: z.ZodPrefault<z.ZodObject<{ ll: Weight; lh: Weight; hl: Weight; hh: Weight }>>;
}> = z.object({
  /** Weight of the mean absolute difference. */
  l1: weight,
  /** Weight of the mean squared difference. */
  l2: weight,
  /** Weight of each band within the means. */
  bandWeights: z.object({ ll: weight, lh: weight, hl: weight, hh: weight }).prefault({}),
});

/**
 * Wavelet distillation: differences of student and teacher bands, summed over the scales.
 *
 * Source: MobileStyleGAN, arXiv:2104.04767, section 4; L1 + L2 with weights 1 and 1 as in the
 * author's code, which weighs all bands alike.
 */
export const waveletLoss: Loss<"wavelet", typeof options> = defineLoss({
  name: "wavelet",
  summary: "L1 and L2 of student and teacher wavelet bands, every scale, weighted by band",
  source: "MobileStyleGAN, arXiv:2104.04767, section 4",
  options,
  perImage: true,
  student({ scales }, { l1, l2, bandWeights: { ll, lh, hl, hh } }) {
    const channelWeights = [ll, ll, ll, lh, hl, hh, lh, hl, hh, lh, hl, hh];
    const mean = (x: tf.Tensor) => {
      if (channelWeights.every((value) => value === 1)) return tf.mean(x);
      const perChannel = tf.mean(x, [0, 1, 2]); // [12]: weighing these costs no pass over the bands
      return tf.mean(tf.mul(perChannel, tf.tensor1d(channelWeights)));
    };
    return tf.addN(scales.map(({ studentBands, teacherBands }) => {
      const difference = tf.sub(studentBands, teacherBands);
      const terms: tf.Tensor[] = [];
      if (l1 > 0) terms.push(tf.mul(mean(tf.abs(difference)), l1));
      if (l2 > 0) terms.push(tf.mul(mean(tf.square(difference)), l2));
      return terms.length > 0 ? tf.addN(terms) : tf.scalar(0);
    })) as tf.Scalar;
  },
});
