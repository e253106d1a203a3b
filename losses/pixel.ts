import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import type { Loss } from "../core/contracts.ts";
import { defineLoss } from "../core/define.ts";

const options: z.ZodObject<{
  l1: z.ZodDefault<z.ZodNumber>;
  l2: z.ZodDefault<z.ZodNumber>;
}> = z.object({
  /** Weight of the mean absolute difference. */
  l1: z.number().nonnegative().default(1),
  /** Weight of the mean squared difference. */
  l2: z.number().nonnegative().default(1),
});

/**
 * Pixel distillation: differences of student and teacher images, summed over the scales.
 *
 * Source: MobileStyleGAN, arXiv:2104.04767, section 4; L1 + L2 with weights 1 and 1 as in the
 * author's code.
 */
export const pixelLoss: Loss<"pixel", typeof options> = defineLoss({
  name: "pixel",
  summary: "L1 and L2 of student and teacher images, every scale",
  source: "MobileStyleGAN, arXiv:2104.04767, section 4",
  options,
  perImage: true,
  student({ scales }, { l1, l2 }) {
    return tf.addN(scales.map(({ studentImage, teacherImage }) => {
      const difference = tf.sub(studentImage, teacherImage);
      const terms: tf.Tensor[] = [];
      if (l1 > 0) terms.push(tf.mul(tf.mean(tf.abs(difference)), l1));
      if (l2 > 0) terms.push(tf.mul(tf.mean(tf.square(difference)), l2));
      return terms.length > 0 ? tf.addN(terms) : tf.scalar(0);
    })) as tf.Scalar;
  },
});
