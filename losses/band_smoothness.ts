import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import type { Loss } from "../core/contracts.ts";
import { defineLoss } from "../core/define.ts";
import { haar } from "../layers/haar.ts";
import { pathLengths } from "./path_length.ts";

const bandNames = ["ll", "lh", "hl", "hh"] as const;
/** Channels of each band among the 12 of an RGB image. */
const bandChannels = {
  ll: [0, 1, 2],
  lh: [3, 6, 9],
  hl: [4, 7, 10],
  hh: [5, 8, 11],
} as const;

const weight = (value: number) => z.number().nonnegative().default(value);
const length = z.number().positive();

type OfBands<Schema extends z.ZodType> = z.ZodObject<
  { ll: Schema; lh: Schema; hl: Schema; hh: Schema }
>;

const options: z.ZodObject<{
  target: z.ZodDefault<
    z.ZodUnion<
      readonly [
        z.ZodEnum<{ teacher: "teacher"; batch_mean: "batch_mean" }>,
        OfBands<z.ZodNumber>,
      ]
    >
  >;
  bandWeights: z.ZodPrefault<OfBands<z.ZodDefault<z.ZodNumber>>>;
}> = z.object({
  /** Length to aim at: the teacher's for the same style and direction, the batch's mean, or given. */
  target: z.union([
    z.enum(["teacher", "batch_mean"]),
    z.object({ ll: length, lh: length, hl: length, hh: length }),
  ]).default("batch_mean"),
  /** Weight of each band; bands of weight 0 cost nothing. */
  bandWeights: z.object({ ll: weight(0), lh: weight(1), hl: weight(1), hh: weight(1) })
    .prefault({}),
});

/**
 * Smoothness of the student in w, band by band: `sum_b weight_b mean_N (|J_b^T y| / target_b - 1)^2`,
 * with J_b the Jacobian of Haar band b of the final image with respect to w and y a random direction.
 *
 * It is StyleGAN2's path length, taken for each band alone, since StyleGAN's latent space is smooth
 * in low and rough in high frequencies. The deviation is relative: the bands' lengths differ by
 * orders of magnitude, and an absolute one would only see LL. With the batch's mean as the target
 * it is the squared coefficient of variation, which making everything smaller does not improve.
 * Nothing is remembered between steps.
 *
 * Source: MobileStyleGAN, arXiv:2104.04767, section 3.1 (the claim); StyleGAN2, CVPR 2020,
 * equation 4 (the length).
 */
export const bandSmoothnessLoss: Loss<"band_smoothness", typeof options> = defineLoss({
  name: "band_smoothness",
  summary: "makes steps in w change each wavelet band by equal amounts",
  source: "StyleGAN2, CVPR 2020, equation 4, per Haar band of arXiv:2104.04767",
  options,
  every: 8, // each band costs a second derivative of the student
  student({ scales, w, random, runStudent, runTeacher }, { target, bandWeights }) {
    const [n, height, width, channels] = scales.at(-1)!.studentBands.shape;
    const terms = bandNames.filter((name) => bandWeights[name] > 0).map((name) => {
      const mask = new Float32Array(channels);
      for (const channel of bandChannels[name]) mask[channel] = 1;
      const noise = random.normal([n, height, width, channels], 1 / Math.sqrt(height * width));
      const y = tf.mul(noise, tf.tensor1d(mask));
      const lengths = pathLengths((x) => haar(runStudent(x)), w, y);
      const goal = target === "batch_mean"
        ? tf.mean(lengths)
        : target === "teacher"
        ? pathLengths((x) => haar(runTeacher(x)), w, y)
        : tf.scalar(target[name]);
      const deviation = tf.sub(tf.div(lengths, goal), 1);
      return tf.mul(tf.mean(tf.square(deviation)), bandWeights[name]);
    });
    return (terms.length > 0 ? tf.addN(terms) : tf.scalar(0)) as tf.Scalar;
  },
});
