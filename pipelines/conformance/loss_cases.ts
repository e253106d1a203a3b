import * as tf from "@tensorflow/tfjs";
import { areaMatrix } from "../../core/axis_matrix.ts";
import type { AnyLoss, LossContext, LossStep, Params, Weights } from "../../core/contracts.ts";
import { prefixed, under } from "../../core/params.ts";
import type { GraphRandom } from "../../core/random.ts";
import { leakyRelu } from "../../layers/activation.ts";
import { haar, inverseHaar } from "../../layers/haar.ts";
import { resample } from "../../layers/resample.ts";
import { declaredStep } from "../declared_step.ts";
import { discriminatorLossStep } from "../discriminator_loss_step.ts";
import { type Case, dims, normal } from "./case.ts";

/* The step that losses see has networks of a few numbers in place of generators, features and
 * discriminator: smooth where derivatives of second order must exist, none of them constant. */
const sizes = [4, 8, 16] as const;
const { images, styleDim } = dims;
const lastPx = sizes.at(-1)!;

const bandWeights = (network: string): Weights =>
  Object.fromEntries(sizes.map((size) => {
    const outputs = 12 * (size / 2) ** 2;
    const { shape, data } = normal(`${network} ${size}`, [styleDim, outputs]);
    return [`${network}.${size}`, { shape, data: data.map((x) => x / 4) }];
  }));

const studentWeights = (): Weights => bandWeights("student");
const discriminatorWeights = (): Weights => ({
  "discriminator.kernel": normal("kernel", [3, 3, 3, 4]),
  "discriminator.out": normal("out", [4, 1]),
});
const inputs = (): Weights => ({
  w: normal("w", [images, styleDim]),
  noise: normal("noise", [1, lastPx / 2, lastPx / 2, 1]),
  ...bandWeights("teacher"),
  features: normal("features", [3, 3, 3, 4]),
});

const CONSTANTS = "constants"; // prefix of what a loss prepared, among the inputs
const context: LossContext = {
  sizePx: lastPx,
  teacherImages: ({ length }) =>
    Promise.resolve(normal("teacher images", [length, lastPx, lastPx, 3])),
};

/** Bands of one size: a curved function of w, so that its derivative depends on w. */
function bandsOf(w: tf.Tensor, weight: tf.Tensor, size: number): tf.Tensor4D {
  const single = (w.rank === 3 ? tf.mean(w, 1) : w) as tf.Tensor2D;
  const curved = tf.add(single, tf.mul(tf.square(single), 0.3)) as tf.Tensor2D;
  const bands = tf.matMul(curved, weight as tf.Tensor2D);
  return tf.reshape(bands, [-1, size / 2, size / 2, 12]);
}

function stepOf(params: Params, inputs: Params, random: GraphRandom): LossStep {
  const run = (weights: Params, network: string) => (w: tf.Tensor) =>
    inverseHaar(bandsOf(w, weights[`${network}.${lastPx}`]!, lastPx));
  const w = inputs["w"]!;
  const teacher = run(inputs, "teacher")(w);
  const scales = sizes.map((size) => {
    const studentBands = bandsOf(w, params[`student.${size}`]!, size);
    const half = areaMatrix(lastPx, size);
    const teacherImage = size === lastPx ? teacher : resample(teacher, half, half);
    return {
      studentImage: inverseHaar(studentBands),
      teacherImage,
      studentBands,
      teacherBands: haar(teacherImage),
    };
  });
  return {
    scales,
    w,
    noise: [inputs["noise"]!],
    random,
    runStudent: run(params, "student"),
    runTeacher: run(inputs, "teacher"),
    features(image) {
      const fine = leakyRelu(tf.conv2d(image, inputs["features"]!, 1, "same")) as tf.Tensor4D;
      const half = areaMatrix(fine.shape[1], fine.shape[1] / 2);
      return [fine, resample(fine, half, half)];
    },
    discriminate(image) {
      const maps = tf.softplus(tf.conv2d(image, params["discriminator.kernel"]!, 2, "valid"));
      return tf.matMul(tf.mean(maps, [1, 2]) as tf.Tensor2D, params["discriminator.out"]!);
    },
  };
}

/**
 * The cases of a loss: the terms that it has, of the student's and the discriminator's objective. It
 * sees of a step what a run would let it see.
 */
export function lossCases(loss: AnyLoss, options: unknown): Case[] {
  const student = studentWeights();
  const discriminator = discriminatorWeights();
  const both = loss.student && loss.discriminator;
  const common = {
    weights: { ...student, ...discriminator },
    inputs: inputs(),
    through: [],
    perImage: [],
    meanOver: loss.perImage ? ["w"] : [],
    shapes: [[]],
    everyWeight: false,
    ...loss.prepare && {
      prepare: async () => prefixed(await loss.prepare!(context, options), CONSTANTS),
    },
  };
  const seen = (step: LossStep, inputs: Params): LossStep => {
    const own = declaredStep(step, loss);
    return loss.prepare
      ? Object.create(own, { constants: { value: under(inputs, CONSTANTS) } })
      : own;
  };
  const cases: Case[] = [];
  if (loss.student) {
    cases.push({
      ...common,
      title: both ? "student" : "",
      trained: Object.keys(student),
      apply: (params, inputs, random) => {
        return loss.student!(seen(stepOf(params, inputs, random), inputs), options);
      },
    });
  }
  if (loss.discriminator) {
    cases.push({
      ...common,
      title: both ? "discriminator" : "",
      trained: Object.keys(discriminator),
      apply: (params, inputs, random) => {
        const { scales, discriminate } = stepOf(params, inputs, random);
        const { studentImage, teacherImage } = scales.at(-1)!;
        const step = discriminatorLossStep(studentImage, teacherImage, random, discriminate);
        return loss.discriminator!(seen(step, inputs), options);
      },
    });
  }
  return cases;
}
