import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import type { Loss, LossStep } from "../core/contracts.ts";
import { defineLoss } from "../core/define.ts";
import { augment, type Augmentation } from "../layers/augment.ts";

const probability: z.ZodDefault<z.ZodNumber> = z.number().min(0).max(1).default(0);

const options: z.ZodObject<{
  form: z.ZodDefault<z.ZodEnum<{ non_saturating: "non_saturating"; bce: "bce" }>>;
  augment: z.ZodPrefault<
    z.ZodObject<
      { flip: typeof probability; move: typeof probability; erase: typeof probability },
      z.core.$strict
    >
  >;
}> = z.object({
  /**
   * `non_saturating` is StyleGAN2's. `bce` is the paper's first version: binary cross-entropy of
   * sigmoid(logits), which is the same function for the student, and for the discriminator the mean
   * instead of the sum of its two halves.
   */
  form: z.enum(["non_saturating", "bce"]).default("non_saturating"),
  /**
   * Probabilities of what is done to an image before the discriminator sees it; none by default.
   * The author's code has 0.5 for each.
   */
  augment: z.strictObject({ flip: probability, move: probability, erase: probability }).prefault(
    {},
  ),
});

/** The discriminator behind the augmentation: every image is changed by draws of its own. */
function judge(step: LossStep, image: tf.Tensor4D, augmentation: Augmentation): tf.Tensor2D {
  const none = Object.values(augmentation).every((probability) => probability === 0);
  return step.discriminate(none ? image : augment(image, step.random, augmentation));
}

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
  perImage: true,
  needs: { discriminator: true },
  student(step, { augment }) {
    const logits = judge(step, step.scales.at(-1)!.studentImage, augment);
    return tf.mean(tf.softplus(tf.neg(logits)));
  },
  discriminator(step, { form, augment }) {
    const { studentImage, teacherImage } = step.scales.at(-1)!;
    const fake = tf.mean(tf.softplus(judge(step, studentImage, augment)));
    const real = tf.mean(tf.softplus(tf.neg(judge(step, teacherImage, augment))));
    const sum = tf.add(fake, real);
    return (form === "bce" ? tf.mul(sum, 0.5) : sum) as tf.Scalar;
  },
});
