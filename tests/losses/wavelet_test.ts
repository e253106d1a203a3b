import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { haar, inverseHaar } from "../../layers/haar.ts";
import { waveletLoss } from "../../losses/wavelet.ts";
import { golden } from "../golden.ts";
import { assertGradient, normal, numbers } from "../tensors.ts";
import { goldenScales, scaleOf, stepOf } from "./step.ts";

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-5 * Math.abs(expected), `${actual} ${expected}`);
const even = { ll: 1, lh: 1, hl: 1, hh: 1 };
const none = { ll: 0, lh: 0, hl: 0, hh: 0 };

Deno.test("waveletLoss sums the author's means over the scales", () => {
  const step = stepOf({ scales: goldenScales() });
  const rows = [...golden("loss/per_head").data];
  const sum = (column: number) => rows.reduce((sum, x, i) => sum + (i % 4 === column ? x : 0), 0);
  near(numbers(waveletLoss.student!(step, { l1: 1, l2: 0, bandWeights: even }))[0]!, sum(2));
  near(numbers(waveletLoss.student!(step, { l1: 0, l2: 1, bandWeights: even }))[0]!, sum(3));
});

Deno.test("waveletLoss weighs each band of all three colours", () => {
  // A difference of one sample of one band of one colour, in turn.
  const names = ["ll", "ll", "ll", ...Array(3).fill(["lh", "hl", "hh"]).flat()] as string[];
  names.forEach((name, channel) => {
    const bands = tf.mul(tf.oneHot([channel], 12), 3);
    const student = tf.reshape(bands, [1, 1, 1, 12]) as tf.Tensor4D;
    const scales = [scaleOf(inverseHaar(student), tf.zeros([1, 2, 2, 3]))];
    const value = (weights: typeof even) =>
      numbers(waveletLoss.student!(stepOf({ scales }), { l1: 1, l2: 0, bandWeights: weights }))[0]!;
    near(value({ ...none, [name]: 2 }), 2 * 3 / 12);
    assert.ok(Math.abs(value({ ...even, [name]: 0 })) < 1e-6);
  });
});

Deno.test("waveletLoss has the author's weights as defaults", () => {
  assert.deepEqual(waveletLoss.options.parse({}), { l1: 1, l2: 1, bandWeights: even });
  const parsed = waveletLoss.options.parse({ bandWeights: { hh: 3 } });
  assert.deepEqual(parsed.bandWeights, { ...even, hh: 3 });
});

Deno.test("waveletLoss without band weights is the pixel loss in L2: the transform is orthonormal", () => {
  const [a, b] = [normal("a", [1, 4, 4, 3]), normal("b", [1, 4, 4, 3])];
  const options = { l1: 0, l2: 1, bandWeights: even };
  const value = waveletLoss.student!(stepOf({ scales: [scaleOf(a, b)] }), options);
  near(numbers(value)[0]!, numbers(tf.mean(tf.squaredDifference(a, b)))[0]!);
});

Deno.test("waveletLoss has a gradient", () => {
  const teacher = normal("b", [2, 4, 4, 3]);
  const options = { l1: 1, l2: 1, bandWeights: { ll: 1, lh: 2, hl: 3, hh: 4 } };
  assertGradient((x) => {
    const scale = scaleOf(normal("a", [2, 4, 4, 3]), teacher);
    const scales = [{ ...scale, studentBands: haar(x as tf.Tensor4D) }];
    return waveletLoss.student!(stepOf({ scales }), options);
  }, normal("a", [2, 4, 4, 3]));
});
