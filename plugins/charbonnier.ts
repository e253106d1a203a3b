/** A loss of one's own: smooth L1. @module */
import { defineLoss, definePlugin, tf } from "haarlem";
import { z } from "zod";

const charbonnier = defineLoss({
  name: "robust/charbonnier",
  summary: "smooth L1 of student and teacher images, every scale",
  source: "Charbonnier et al., ICIP 1994",
  options: z.object({
    epsilon: z.number().positive().default(1e-3).describe("difference where L2 turns into L1"),
  }),
  student({ scales }, { epsilon }) { // images [N,S,S,3] in [-1, 1], finest scale last
    return tf.addN(scales.map(({ studentImage, teacherImage }) => {
      const squared = tf.square(tf.sub(studentImage, teacherImage));
      return tf.mean(tf.sub(tf.sqrt(tf.add(squared, epsilon ** 2)), epsilon));
    }));
  },
});

export default definePlugin({ name: "robust", version: "1.0.0", losses: [charbonnier] });
