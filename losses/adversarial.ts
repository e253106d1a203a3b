import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import type { Loss } from "../core/contracts.ts";
import { defineLoss } from "../core/define.ts";

const options: z.ZodObject<{
  form: z.ZodDefault<z.ZodEnum<{ non_saturating: "non_saturating"; bce: "bce" }>>;
}> = z.object({
  /**
   * `non_saturating` is StyleGAN2's. `bce` is the paper's first version: binary cross-entropy of
   * sigmoid(logits), which is the same function for the student, and for the discriminator the mean
   * instead of the sum of its two halves.
   */
  form: z.enum(["non_saturating", "bce"]).default("non_saturating"),
});

/**
 * Adversarial distillation: the student's images against the teacher's, which are the real ones.
 *
 * Student: mean softplus(-D(student)). Discriminator: mean softplus(D(student)) + mean
 * softplus(-D(teacher)).
 *
 * Source: MobileStyleGAN, arXiv:2104.04767, section 4; Goodfellow et al., NeurIPS 2014, section 3.
 */
export const adversarialLoss: Loss<"adversarial", typeof options> = defineLoss({
  name: "adversarial",
  summary: "GAN loss with the teacher's images as real, final image",
  source: "MobileStyleGAN, arXiv:2104.04767, section 4; Goodfellow et al., NeurIPS 2014",
  options,
  needs: { discriminator: true },
  student({ scales, discriminate }) {
    return tf.mean(tf.softplus(tf.neg(discriminate(scales.at(-1)!.studentImage))));
  },
  discriminator({ scales, discriminate }, { form }) {
    const { studentImage, teacherImage } = scales.at(-1)!;
    const fake = tf.mean(tf.softplus(discriminate(studentImage)));
    const real = tf.mean(tf.softplus(tf.neg(discriminate(teacherImage))));
    const sum = tf.add(fake, real);
    return (form === "bce" ? tf.mul(sum, 0.5) : sum) as tf.Scalar;
  },
});
