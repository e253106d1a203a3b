import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import type { Loss } from "../core/contracts.ts";
import { defineLoss } from "../core/define.ts";

/**
 * Lengths `[N]` of `J^T y`, with J the Jacobian of `image` with respect to `w` and `y` a random
 * direction: root of the sum over D, averaged over the layers of a W+, of its squares.
 *
 * Source: StyleGAN2, CVPR 2020, section 3.2.
 */
export function pathLengths(
  image: (w: tf.Tensor) => tf.Tensor,
  w: tf.Tensor,
  y: tf.Tensor,
): tf.Tensor1D {
  const slope = tf.grad((x) => tf.sum(tf.mul(image(x), y)))(w); // [N,D] or [N,L,D]
  const squares = tf.sum(tf.square(slope), -1);
  const perImage = w.rank === 3 ? tf.mean(squares, -1) : squares;
  return tf.sqrt(tf.add(perImage, 1e-12)) as tf.Tensor1D; // the root has no slope at zero
}

const options: z.ZodObject<{
  target: z.ZodDefault<z.ZodUnion<readonly [z.ZodLiteral<"batch_mean">, z.ZodNumber]>>;
}> = z.object({
  /** Length to aim at: that of the batch on average, or a number. */
  target: z.union([z.literal("batch_mean"), z.number().positive()]).default("batch_mean"),
});

/**
 * Path-length regularisation of a generator: `mean_N (|J^T y| - target)^2`.
 *
 * StyleGAN2 aims at a running mean of the lengths. That is state, and a loss is a pure function: the
 * default target is the mean of the batch, which it approaches; a run that knows the length can give
 * it.
 *
 * Source: StyleGAN2, CVPR 2020, equation 4; lazily every 4 steps as in appendix B.
 */
export const pathLengthLoss: Loss<"path_length", typeof options> = defineLoss({
  name: "path_length",
  summary: "makes steps in w change the image by equal amounts",
  source: "StyleGAN2, CVPR 2020, equation 4",
  options,
  every: 4, // StyleGAN2, appendix B
  student({ scales, w, random, runStudent }, { target }) {
    const [n, height, width, channels] = scales.at(-1)!.studentImage.shape;
    const y = random.normal([n, height, width, channels], 1 / Math.sqrt(height * width));
    const lengths = pathLengths(runStudent, w, y);
    const goal = target === "batch_mean" ? tf.mean(lengths) : tf.scalar(target);
    return tf.mean(tf.square(tf.sub(lengths, goal)));
  },
});
