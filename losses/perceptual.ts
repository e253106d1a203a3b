import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import type { Loss } from "../core/contracts.ts";
import { defineLoss } from "../core/define.ts";

const options: z.ZodObject<{ norm: z.ZodDefault<z.ZodEnum<{ l1: "l1"; l2: "l2" }>> }> = z.object({
  /** Difference of two feature maps: mean absolute (the author's code) or mean squared. */
  norm: z.enum(["l1", "l2"]).default("l1"),
});

/**
 * Perceptual distillation: difference of the final images' feature maps, summed over the maps.
 *
 * The maps come from the run's frozen feature network.
 *
 * Source: MobileStyleGAN, arXiv:2104.04767, section 4; Johnson et al., ECCV 2016.
 */
export const perceptualLoss: Loss<"perceptual", typeof options> = defineLoss({
  name: "perceptual",
  summary: "difference of the feature maps of student and teacher, final image",
  source: "MobileStyleGAN, arXiv:2104.04767, section 4; Johnson et al., ECCV 2016",
  options,
  perImage: true,
  needs: { features: true },
  student({ scales, features }, { norm }) {
    const { studentImage, teacherImage } = scales.at(-1)!;
    const targets = features(teacherImage);
    const size = norm === "l1" ? tf.abs : tf.square;
    return tf.addN(
      features(studentImage).map((map, i) => tf.mean(size(tf.sub(map, targets[i]!)))),
    ) as tf.Scalar;
  },
});
