/**
 * A plugin with one loss: moved through the latent space, student and teacher change alike.
 *
 * @module
 */
import { defineLoss, definePlugin, tf } from "haarlem";
import { z } from "zod";

const TINY = 1e-8; // keeps the length of an image's change differentiable where there is none

/** Cosines between the changes of feature maps `[N,h,w,c]`, every image's with every other's: `[N,N]`. */
function relations(before: tf.Tensor4D, after: tf.Tensor4D): tf.Tensor2D {
  const changes = tf.reshape(tf.sub(after, before), [before.shape[0], -1]);
  const length = tf.sqrt(tf.add(tf.sum(tf.square(changes), 1, true), TINY));
  const units = tf.div(changes, length) as tf.Tensor2D;
  return tf.matMul(units, units, false, true);
}

/** Logarithms of the softmax of every row. */
function logSoftmax(rows: tf.Tensor): tf.Tensor {
  return tf.sub(rows, tf.logSumExp(rows, 1, true));
}

const relation = defineLoss({
  name: "latent/relation",
  summary: "moved along latent directions, the student's images change as the teacher's do",
  source: "after StyleKD, Xu et al., ECCV 2022, arXiv:2208.08840: latent-direction relation loss",
  options: z.object({
    strength: z.number().positive().default(0.3).describe("of a move, in deviations of styles"),
    temperature: z.number().positive().default(0.5).describe("of the softmax over cosines"),
  }),
  needs: { features: true }, // refused before the first step if the run names no feature network
  student(step, { strength, temperature }) {
    const { scales, w, random, runStudent, runTeacher, features } = step;
    const n = w.shape[0]!;
    // Random mixtures of the batch's styles have their covariance: mostly its principal directions.
    const rows = tf.reshape(tf.sub(w, tf.mean(w, 0, true)), [n, -1]) as tf.Tensor2D;
    const directions = tf.matMul(random.normal([n, n], 1 / Math.sqrt(n)) as tf.Tensor2D, rows);
    const moved = tf.add(w, tf.mul(tf.reshape(directions, w.shape), strength));

    const { studentImage, teacherImage } = scales.at(-1)!; // [N,S,S,3], finest scale last
    const student = [studentImage, runStudent(moved)].map(features);
    const teacher = [teacherImage, runTeacher(moved)].map(features);
    const divergences = teacher[0]!.map((before, i) => {
      const wanted = logSoftmax(tf.div(relations(before, teacher[1]![i]!), temperature));
      const own = relations(student[0]![i]!, student[1]![i]!);
      const difference = tf.sub(wanted, logSoftmax(tf.div(own, temperature)));
      return tf.mean(tf.sum(tf.mul(tf.exp(wanted), difference), 1)); // Kullback-Leibler
    });
    return tf.mean(tf.stack(divergences));
  },
});

/** The plugin. */
export default definePlugin({ name: "latent", version: "0.1.0", losses: [relation] });
