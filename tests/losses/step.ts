/** A step of losses to try: what a test does not give throws when it is read. */
import * as tf from "@tensorflow/tfjs";
import type { GraphRandom } from "../../core/random.ts";
import type { LossStep, Scale } from "../../core/contracts.ts";
import { createRandom } from "../../core/random.ts";
import { haar } from "../../layers/haar.ts";
import { scalesOf, teacherPyramid } from "../../networks/pyramid.ts";
import { golden, nhwc, tensor } from "../golden.ts";

/** The scales of the reference distiller's example: three heads of the author's student. */
export function goldenScales(): Scale[] {
  const image = tensor<tf.Rank.R4>(nhwc(golden("mobilestylegan/teacher_image")));
  const heads = [0, 1, 2].map((i) => tensor<tf.Rank.R4>(nhwc(golden(`mobilestylegan/head_${i}`))));
  return scalesOf(heads, teacherPyramid(image, { method: "bilinear" }));
}

/** One scale of a student's and a teacher's image. */
export function scaleOf(studentImage: tf.Tensor4D, teacherImage: tf.Tensor4D): Scale {
  return {
    studentImage,
    teacherImage,
    studentBands: haar(studentImage),
    teacherBands: haar(teacherImage),
  };
}

/** Random tensors that are the same for the same order of calls. */
export function fixedRandom(): GraphRandom {
  const random = createRandom(1, "test.losses");
  return {
    normal: (shape, deviation) => tf.tensor(random.normal(shape, deviation).data, [...shape]),
    uniform: (shape, low, high) => tf.tensor(random.uniform(shape, low, high).data, [...shape]),
  };
}

/** A step of the given fields. */
export function stepOf(fields: Partial<LossStep>): LossStep {
  return new Proxy(fields, {
    get(target, name) {
      if (name in target) return Reflect.get(target, name);
      throw new Error(`the loss reads ${String(name)}`);
    },
  }) as LossStep;
}
