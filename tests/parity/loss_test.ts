import * as tf from "@tensorflow/tfjs";
import type {
  AnyLoss,
  HostArray,
  LossStep,
  Params,
  PartSource,
  Scale,
} from "../../core/contracts.ts";
import { flatLayout, flatten, views } from "../../core/flat.ts";
import { adam, adamRates } from "../../core/optimiser.ts";
import { under } from "../../core/params.ts";
import { adversarialLoss } from "../../losses/adversarial.ts";
import { perceptualLoss } from "../../losses/perceptual.ts";
import { pixelLoss } from "../../losses/pixel.ts";
import { r1Loss } from "../../losses/r1.ts";
import { waveletLoss } from "../../losses/wavelet.ts";
import { discriminator } from "../../networks/discriminator.ts";
import { vgg16Features } from "../../networks/features.ts";
import { mobileSynthesis } from "../../networks/mobile_synthesis.ts";
import { scalesOf, teacherPyramid } from "../../networks/pyramid.ts";
import { studentEntries } from "../../pipelines/convert/mobilestylegan.ts";
import { discriminatorEntries } from "../../pipelines/convert/rosinality.ts";
import { createRegistry } from "../../registry.ts";
import { assertClose, golden, nhwc, reshaped } from "../golden.ts";
import {
  first,
  goldenGradient,
  gradients,
  gradientTolerance,
  logitTolerance,
  parityTest,
  sharedNoiseMaps,
  student,
  teacherOf,
  tinyVgg16,
} from "./reference.ts";

/** The author's batch: student and discriminator of the checkpoint on the teacher's images. */
interface Inputs {
  readonly student: Params;
  readonly critic: Params;
  readonly vgg16: Params;
  readonly w: tf.Tensor;
  readonly noise: tf.Tensor4D[];
  readonly teacherImage: tf.Tensor4D;
}

const registry: PartSource = createRegistry();
const { weights, config, discriminator: critic } = await student();
const criticConfig = critic!;
const inputs = {
  student: under(weights, "synthesis"),
  critic: under(weights, "discriminator"),
  vgg16: await tinyVgg16(),
  w: golden("mobilestylegan/w"),
  noise: sharedNoiseMaps(),
  teacherImage: nhwc(golden("mobilestylegan/teacher_image")),
};
const named = [
  "layers.0.conv1.conv.weight_dw",
  "layers.1.conv2.conv.weight_permute",
  "layers.0.up.modulation.weight",
  "layers.0.conv2.noise.weight",
  "layers.1.conv1.bias",
  "input.input",
];

const unavailable = () => {
  throw new Error("not part of the author's losses");
};

function scales({ student, w, noise, teacherImage }: Inputs): Scale[] {
  const bands = mobileSynthesis(student, { w, noise }, config, registry);
  return scalesOf(bands, teacherPyramid(teacherImage, { method: "bilinear" }));
}

function lossStep(inputs: Inputs): LossStep {
  return {
    scales: scales(inputs),
    w: inputs.w,
    noise: inputs.noise,
    random: { normal: unavailable, uniform: unavailable },
    runStudent: unavailable,
    runTeacher: unavailable,
    features: (image) => vgg16Features(inputs.vgg16, image),
    discriminate: (image) => discriminator(inputs.critic, image, criticConfig),
  };
}

/** A registered loss on the author's batch with its default options, some of them changed. */
function value(
  { loss, side, options }: {
    readonly loss: AnyLoss;
    readonly side: "student" | "discriminator";
    readonly options?: Record<string, unknown>;
  },
  step: LossStep,
): tf.Scalar {
  const choice = { name: loss.name, ...(options && { options }) };
  return loss[side]!(step, registry.resolve("loss", choice).options);
}

const sum = (...terms: tf.Scalar[]) => tf.addN(terms) as tf.Scalar;
const side = "student";
const losses = {
  l1: (step: LossStep) =>
    sum(
      value({ loss: pixelLoss, side, options: { l2: 0 } }, step),
      value({ loss: waveletLoss, side, options: { l2: 0 } }, step),
    ),
  l2: (step: LossStep) =>
    sum(
      value({ loss: pixelLoss, side, options: { l1: 0 } }, step),
      value({ loss: waveletLoss, side, options: { l1: 0 } }, step),
    ),
  "pixel_total": (step: LossStep) =>
    sum(
      value({ loss: pixelLoss, side }, step),
      value({ loss: waveletLoss, side }, step),
    ),
  "loss_p_tinyvgg": (step: LossStep) => value({ loss: perceptualLoss, side }, step),
  "loss_g": (step: LossStep) => value({ loss: adversarialLoss, side }, step),
  "loss_d": (step: LossStep) => value({ loss: adversarialLoss, side: "discriminator" }, step),
  r1: (step: LossStep) => value({ loss: r1Loss, side: "discriminator" }, step),
};

parityTest("every loss on the author's batch", async (run) => {
  const all = (inputs: Inputs) => {
    const step = lossStep(inputs);
    return Object.fromEntries(Object.entries(losses).map(([name, loss]) => [name, loss(step)]));
  };
  const values = await run(all, inputs);
  const check = (name: string, tolerance?: number) =>
    assertClose(reshaped(values[name]!, [1]), golden(`loss/${name}`), tolerance);
  for (const name of ["l1", "l2", "pixel_total", "loss_p_tinyvgg"]) check(name);
  for (const name of ["loss_g", "loss_d"]) check(name, logitTolerance);
  check("r1", gradientTolerance);
  const [l1, l2, perceptual, adversarial] = ["l1", "l2", "loss_p_tinyvgg", "loss_g"]
    .map((name) => values[name]!.data[0]!);
  const total = Float32Array.of(l1! + l2! + perceptual! + 0.5 * adversarial!);
  assertClose({ shape: [1], data: total }, golden("loss/total"));
});

parityTest("differences of every head", async (run) => {
  const perHead = (inputs: Inputs) =>
    scales(inputs).map(({ studentImage, teacherImage, studentBands, teacherBands }) =>
      tf.stack([
        tf.mean(tf.abs(tf.sub(studentImage, teacherImage))),
        tf.mean(tf.squaredDifference(studentImage, teacherImage)),
        tf.mean(tf.abs(tf.sub(studentBands, teacherBands))),
        tf.mean(tf.squaredDifference(studentBands, teacherBands)),
      ])
    );
  const rows = await run(perHead, inputs) as readonly HostArray[];
  const data = Float32Array.from(rows.flatMap((row) => [...row.data]));
  assertClose({ shape: [3, 4], data }, golden("loss/per_head"));
});

const studentGradients =
  (loss: (step: LossStep) => tf.Scalar, names: readonly string[]) => (inputs: Inputs) =>
    gradients((student) => loss(lossStep({ ...inputs, student })), inputs.student, names);

const entries = studentEntries(config).filter(({ to }) => to);

const studentCases = [
  {
    loss: "pixel_total",
    golden: "grad/pixel",
    keys: entries.map(({ from }) => from).filter((from) => !from.endsWith("style_inv")),
    tolerance: gradientTolerance,
  },
  { loss: "loss_g", golden: "grad/loss_g", keys: named, tolerance: gradientTolerance },
  // ReLU, pooling and |x| have kinks: the golden README allows 1e-3.
  { loss: "loss_p_tinyvgg", golden: "grad/loss_p_tinyvgg", keys: named, tolerance: 1e-3 },
] as const;

for (const { loss, golden: prefix, keys, tolerance } of studentCases) {
  parityTest(`gradients of ${loss} by ${keys.length} weights of the student`, async (run) => {
    const wanted = entries.filter(({ from }) => keys.includes(from))
      .map((entry) => goldenGradient(prefix, entry));
    const names = wanted.map(({ name }) => name.slice("synthesis.".length));
    const actual = await run(studentGradients(losses[loss], names), inputs);
    wanted.forEach(({ gradient }, i) => assertClose(actual[names[i]!]!, gradient, tolerance));
  });
}

const criticKeys = [
  "convs.0.0.weight",
  "convs.1.conv1.0.weight",
  "final_linear.0.weight",
  "final_linear.1.bias",
];

for (
  const [loss, prefix, keys] of [
    ["loss_d", "grad/loss_d", criticKeys],
    ["r1", "grad/r1", criticKeys.slice(0, 3)],
  ] as const
) {
  parityTest(`gradients of ${loss} by weights of the discriminator`, async (run) => {
    const wanted = discriminatorEntries(criticConfig.channels)
      .filter(({ from }) => keys.includes(from))
      .map((entry) => goldenGradient(prefix, entry));
    const names = wanted.map(({ name }) => name.slice("discriminator.".length));
    const slopes = (inputs: Inputs) =>
      gradients((critic) => losses[loss](lossStep({ ...inputs, critic })), inputs.critic, names);
    const actual = await run(slopes, inputs);
    wanted.forEach(({ gradient }, i) =>
      assertClose(actual[names[i]!]!, gradient, gradientTolerance)
    );
  });
}

parityTest("gradient of loss_g by the student's image", async (run) => {
  const slope = ({ critic, image }: { critic: Params; image: tf.Tensor4D }) =>
    tf.grad((x) =>
      tf.mean(tf.softplus(tf.neg(discriminator(critic, x as tf.Tensor4D, criticConfig))))
    )(image);
  const image = nhwc(golden("mobilestylegan/image"));
  const actual = await run(slope, { critic: inputs.critic, image });
  assertClose(first(actual, 2), nhwc(golden("grad/loss_g_wrt_image")), gradientTolerance);
});

parityTest("steps of Adam on the pixel loss", async (run, engineName) => {
  const steps = engineName === "tfjs" ? 4 : 11; // a step takes a second there
  const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
  const buffers = Object.keys(inputs.student).filter((name) => name.includes(".frozen."));
  const trained = Object.fromEntries(
    Object.entries(inputs.student).filter(([name]) => !buffers.includes(name)),
  );
  const fixed = Object.fromEntries(buffers.map((name) => [name, inputs.student[name]!]));
  const layout = flatLayout(trained);
  interface Step {
    readonly state: { weights: tf.Tensor; mean: tf.Tensor; power: tf.Tensor };
    readonly rates: { rate: tf.Tensor; powerCorrection: tf.Tensor };
    readonly batch: Omit<Inputs, "student">;
    readonly fixed: Params;
  }
  const step = ({ state, rates, batch, fixed }: Step) => {
    const loss = (vector: tf.Tensor) =>
      losses["pixel_total"](
        lossStep({ ...batch, student: { ...views(vector, layout), ...fixed } }),
      );
    const { value, grad } = tf.valueAndGrad(loss)(state.weights);
    return { value, state: adam(state, grad, rates, options) };
  };
  const zeros = { shape: [layout.size], data: new Float32Array(layout.size) };
  const { student: _, ...batch } = inputs;
  let state = { weights: flatten(trained, layout), mean: zeros, power: zeros };
  const values: number[] = [];
  const scalar = (value: number): HostArray => ({ shape: [], data: Float32Array.of(value) });
  for (let t = 1; t <= steps; t++) {
    const { rate, powerCorrection } = adamRates(5e-4, t, options);
    const rates = { rate: scalar(rate), powerCorrection: scalar(powerCorrection) };
    const result = await run(step, { state, rates, batch, fixed });
    values.push(result.value.data[0]!);
    state = result.state as typeof state;
  }
  const trajectory = { shape: [steps], data: Float32Array.from(values) };
  assertClose(trajectory, first(golden("loss/adam_trajectory"), steps), gradientTolerance);
});

parityTest("rosinality's losses of its own networks", async (run) => {
  const { weights, discriminator: critic } = await teacherOf("rosinality.pt");
  const logits = golden("rosinality/d_logits");
  const values = ({ params, image, real }: {
    params: Params;
    image: tf.Tensor4D;
    real: tf.Tensor2D;
  }) => {
    const fake = discriminator(params, image, critic!);
    const loss = sum(tf.mean(tf.softplus(tf.neg(real))), tf.mean(tf.softplus(fake)));
    return { fake, loss, generator: tf.mean(tf.softplus(tf.neg(fake))) };
  };
  const { fake, loss, generator } = await run(values, {
    params: under(weights, "discriminator"),
    image: nhwc(golden("rosinality/image")),
    real: logits,
  });
  assertClose(fake, golden("rosinality/d_fake_logits"), logitTolerance);
  const [d, g] = [loss, generator].map((scalar) => reshaped(scalar, [1]));
  assertClose(d!, golden("rosinality/loss_d_logistic"), logitTolerance);
  assertClose(g!, golden("rosinality/loss_g_nonsaturating"), logitTolerance);
});
