import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import type { Loss } from "../core/contracts.ts";
import { defineLoss } from "../core/define.ts";

const options: z.ZodObject<{ gamma: z.ZodDefault<z.ZodNumber> }> = z.object({
  /** Strength; 10 in StyleGAN2's config-f and MobileStyleGAN. ADA's rule: 0.0002 size^2 / batch. */
  gamma: z.number().nonnegative().default(10),
});

/**
 * R1 regularisation of the discriminator: `gamma / 2 mean_N |grad D(x)|^2` at the real images.
 *
 * Source: Mescheder et al., ICML 2018, equation 9; lazily as in StyleGAN2, CVPR 2020, appendix B.
 */
export const r1Loss: Loss<"r1", typeof options> = defineLoss({
  name: "r1",
  summary: "gradient penalty of the discriminator at the teacher's images",
  source: "Mescheder et al., ICML 2018, equation 9",
  options,
  perImage: true,
  needs: { discriminator: true },
  every: 16, // StyleGAN2, appendix B
  discriminator({ scales, discriminate }, { gamma }) {
    const image = scales.at(-1)!.teacherImage;
    const slope = tf.grad((x) => tf.sum(discriminate(x as tf.Tensor4D)))(image);
    return tf.mul(tf.sum(tf.square(slope)), gamma / 2 / image.shape[0]) as tf.Scalar;
  },
});
