/* The forms that are written for OpenVINO only, run by ONNX Runtime, so that they are tested where
 * OpenVINO is not installed. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../core/random.ts";
import { openvinoForms } from "../../engine/forms/mod.ts";
import { nodeRules } from "../../engine/kernels/mod.ts";
import { lower } from "../../engine/lowering.ts";
import { createEngine } from "../../engine/mod.ts";
import { lateScales } from "../../engine/passes/late_scales.ts";
import { leakyRelu } from "../../layers/activation.ts";
import { haar, inverseHaar } from "../../layers/haar.ts";
import { difference, runModel } from "./run_model.ts";

type T4 = tf.Tensor4D;
type Explicit = [[0, 0], [number, number], [number, number], [0, 0]];
type Fn = (x: T4, y: T4) => tf.Tensor;

const gradient =
  (pad: "same" | "valid" | Explicit, strides: number | [number, number] = 1): Fn => (x, w) =>
    tf.grad((w) => tf.sum(tf.square(tf.conv2d(x, w as T4, strides, pad as "same"))))(
      w as tf.Tensor,
    );

const depthwise = (pad: "same" | "valid" | Explicit, strides = 1): Fn => (x, w) =>
  tf.grad((w) => tf.sum(tf.square(tf.depthwiseConv2d(x, w as T4, strides, pad as "same"))))(
    w as tf.Tensor,
  );

/** The input is first multiplied by one number per channel, and per image if there is no more to it. */
const scaled = (fn: Fn, axes = [1, 2]): Fn => (x, w) =>
  fn(tf.mul(x, tf.mean(x, axes, true)) as T4, w);

const large = [2, 12, 13, 3]; // one product per image
const small = [3, 5, 4, 2]; // one for all images
const cases: Record<string, [Fn, x: number[], y: number[]]> = {};
for (const size of [large, small]) {
  const add = (title: string, fn: Fn, [kh, kw]: [number, number]) =>
    cases[`filter gradient ${kh}x${kw} of ${size}, ${title}`] = [fn, size, [kh, kw, size[3]!, 2]];
  for (const kernel of [[1, 1], [1, 3], [3, 1], [2, 2], [3, 3], [2, 5], [5, 3]] as const) {
    if (kernel[1] <= size[2]!) add("valid", gradient("valid"), [...kernel]);
    add("same", gradient("same"), [...kernel]);
    add("padded a lot", gradient([[0, 0], [2, 3], [4, 1], [0, 0]]), [...kernel]);
    add("padded before", gradient([[0, 0], [2, 0], [1, 0], [0, 0]]), [...kernel]);
    add("padded after", gradient([[0, 0], [0, 1], [0, 2], [0, 0]]), [...kernel]);
    add("strides 2 and 1", gradient("same", [2, 1]), [...kernel]);
  }
}
const few = [3, 7, 6, 4]; // one convolution for all images
const many = [2, 17, 18, 4]; // one per image
for (const size of [few, many]) {
  for (const [kh, kw, multiplier] of [[3, 3, 1], [1, 1, 1], [2, 5, 1], [3, 3, 2]] as const) {
    const add = (title: string, fn: Fn) => {
      const name = `depthwise filter gradient ${kh}x${kw} of ${size}, multiplier ${multiplier}`;
      cases[`${name}, ${title}`] = [fn, size, [kh, kw, 4, multiplier]];
    };
    add("same", depthwise("same"));
    add("valid", depthwise("valid"));
    add("padded unevenly", depthwise([[0, 0], [0, 2], [3, 1], [0, 0]]));
    add("stride 2", depthwise("same", 2));
  }
}
for (const [kh, kw] of [[1, 1], [2, 2], [3, 3], [2, 5]] as const) {
  const add = (title: string, fn: Fn, size: number[]) => {
    const kernel = [kh, kw, size[3]!];
    cases[`filter gradient ${kh}x${kw} of ${size}, ${title}`] = [fn, size, [...kernel, 2]];
  };
  const padded: Explicit = [[0, 0], [2, 3], [4, 1], [0, 0]];
  for (const size of [large, [1, 12, 13, 3], small]) {
    add("scaled by image and channel", scaled(gradient(padded)), size);
    add("scaled by channel", scaled(gradient("same"), [0, 1, 2]), size);
  }
  add("scaled, few pixels left", scaled(gradient("valid")), large);
  add("scaled and strided", scaled(gradient("same", 2)), large);
  cases[`depthwise filter gradient ${kh}x${kw}, scaled by image and channel`] = [
    scaled(depthwise(padded)),
    large,
    [kh, kw, 3, 1],
  ];
  cases[`depthwise filter gradient ${kh}x${kw}, scaled by channel`] = [
    scaled(depthwise("same"), [0, 1, 2]),
    large,
    [kh, kw, 3, 1],
  ];
}
for (const shape of [[2, 3, 4, 5], [6]]) {
  cases[`gradient of leaky ReLU of ${shape}`] = [
    (x, y) => tf.grad((x) => tf.sum(tf.mul(leakyRelu(x, 0.2), y)))(x),
    shape,
    shape,
  ];
}
for (const [n, channels] of [[3, 3], [3, 16], [3, 20], [1, 3]] as const) {
  for (const axes of [[0], [0, 1, 2], [2, 0, -3], [1, 2]]) {
    const shape = [n, 5, 4, channels];
    const title = `sum over ${axes} of ${shape}`;
    cases[title] = [(x) => tf.sum(x, axes), shape, [1]];
    cases[`${title}, axes kept`] = [(x) => tf.sum(x, axes, true), shape, [1]];
    cases[`${title}, convolved`] = [
      (x, y) => tf.sum(tf.conv2d(x, y, 1, "same"), axes),
      shape,
      [3, 3, channels, channels],
    ];
  }
}
for (const channels of [1, 3, 8, 16, 17, 18, 20, 32, 33]) { // few, and more than all at once
  cases[`Haar transform of ${channels} channels`] = [(x) => haar(x), [2, 4, 6, channels], [1]];
  cases[`inverse Haar transform to ${channels} channels`] = [
    (x) => inverseHaar(x),
    [2, 2, 3, 4 * channels],
    [1],
  ];
}

const engine = await createEngine({ threads: 1 });
const eager = await createEngine({ engine: "tfjs", native: false });

Deno.test.afterAll(async () => {
  await engine.dispose();
  await eager.dispose();
});

for (const [name, [fn, xShape, yShape]] of Object.entries(cases)) {
  Deno.test(`openvinoForms: ${name}`, async () => {
    const array = (name: string, shape: number[]) => createRandom(1, name).normal(shape);
    const inputs = { x: array("x", xShape), y: array("y", yShape) };
    const traced = ({ x, y }: { x: tf.Tensor; y: tf.Tensor }) => fn(x as T4, y as T4);
    const expected = await eager.compile(traced, { name })(inputs);

    const program = engine.compile(traced, { name }).program(inputs);
    const model = lower(lateScales(program), "openvino", nodeRules(), { forms: openvinoForms });
    const { data, shape } = await runModel(model, Object.values(inputs));
    assert.deepEqual(shape, expected.shape);
    const worst = difference(data as Float32Array, expected.data as Float32Array);
    assert.ok(worst <= 3e-6, `differs by ${worst} of the largest number`);
  });
}
