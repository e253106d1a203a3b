/* 3x3 convolutions by Winograd's products, in the forms of both runtimes. ONNX Runtime computes those of
 * OpenVINO too, so that they are tested where that is not installed; openvino_test.ts has OpenVINO itself. */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import ort from "onnxruntime-node";
import type { HostArray } from "../../core/contracts.ts";
import { createRandom } from "../../core/random.ts";
import { findBlockSize } from "../../engine/block_size.ts";
import { blockedForms, openvinoForms } from "../../engine/forms/mod.ts";
import { nodeRules } from "../../engine/kernels/mod.ts";
import { lower } from "../../engine/lowering.ts";
import { createEngine } from "../../engine/mod.ts";
import { fuseConvolutions } from "../../engine/passes/fuse_convolutions.ts";
import { lateScales } from "../../engine/passes/late_scales.ts";
import { sumsOfFilters } from "../../engine/passes/sums_of_filters.ts";
import {
  WINOGRAD_COSTS,
  winogradConvolutions,
  winogradGradients,
  winogradPays,
} from "../../engine/passes/winograd.ts";
import { countKernels, type Program } from "../../engine/program.ts";
import { WINOGRAD_GRADIENT } from "../../engine/winograd.ts";
import { leakyRelu } from "../../layers/activation.ts";
import { difference, runModel } from "./run_model.ts";

type T4 = tf.Tensor4D;
type Explicit = [[0, 0], [number, number], [number, number], [0, 0]];
type Fn = (x: T4, filter: T4) => tf.Tensor;

const convolved = (pad: "same" | "valid" | Explicit): Fn => (x, filter) =>
  tf.conv2d(x, filter, 1, pad as "same");
/** The gradient of the input. */
const back = (fn: Fn): Fn => (x, filter) =>
  tf.grad((x) => tf.sum(tf.square(fn(x as T4, filter))))(x);
/** The gradient of the filter. */
const ofFilter = (fn: Fn): Fn => (x, filter) =>
  tf.grad((filter) => tf.sum(tf.square(fn(x, filter as T4))))(filter);
/** Both, one after the other. */
const ofBoth = (fn: Fn): Fn => (x, filter) => {
  const loss = (x: tf.Tensor, filter: tf.Tensor) => tf.sum(tf.square(fn(x as T4, filter as T4)));
  return tf.concat(tf.grads(loss as never)([x, filter]).map((each) => tf.reshape(each, [-1])));
};
/** The image is multiplied by a number per channel and image before. */
const modulated = (fn: Fn): Fn => (x, filter) =>
  fn(tf.mul(x, tf.mean(x, [1, 2], true)) as T4, filter);
const bias = (filter: T4) => tf.mean(filter, [0, 1, 2]);

const cases: Record<string, [Fn, x: number[], filter: number[]]> = {};
for (const pad of ["same", "valid", [[0, 0], [0, 2], [2, 1], [0, 0]]] as const) {
  for (const size of [[2, 8, 12], [3, 5, 6], [1, 3, 17], [2, 4, 4]]) {
    const title = `${size}, padding ${pad}`;
    const given = convolved(pad as Explicit);
    cases[`convolution of ${title}`] = [given, [...size, 16], [3, 3, 16, 32]];
    cases[`gradient of the input of ${title}`] = [back(given), [...size, 16], [3, 3, 16, 32]];
    cases[`gradient of the filter of ${title}`] = [ofFilter(given), [...size, 16], [3, 3, 16, 32]];
    cases[`both gradients of ${title}`] = [ofBoth(given), [...size, 16], [3, 3, 16, 32]];
  }
}
const same = convolved("same");
const image = [2, 9, 10, 16];
const filter = [3, 3, 16, 32];
cases["a bias, a map and a leaky ReLU after it"] = [
  (x, filter) => leakyRelu(tf.add(same(x, filter), tf.add(tf.mean(x, 3, true), bias(filter))), 0.2),
  image,
  filter,
];
cases["one number per channel and image after it, and a bias"] = [
  (x, filter) => {
    const factors = tf.tile(tf.mean(x, [1, 2], true), [1, 1, 1, 2]);
    return leakyRelu(tf.add(tf.mul(same(x, filter), factors), bias(filter)), 0.2);
  },
  image,
  filter,
];
cases["one after the other"] = [
  (x, filter) => same(same(x, filter) as T4, tf.transpose(filter, [0, 1, 3, 2])),
  image,
  filter,
];
cases["channels that are no whole blocks"] = [same, [2, 9, 10, 5], [3, 3, 5, 7]];
cases["more tiles than one strip has"] = [same, [3, 66, 35, 16], [3, 3, 16, 16]];
cases["gradients of more tiles"] = [ofBoth(same), [2, 66, 67, 8], [3, 3, 8, 8]];
for (const size of [[2, 66, 67, 8], [5, 13, 14, 8], [3, 30, 30, 8], [1, 16, 16, 8]]) {
  cases[`gradient of the filter of ${size}, images multiplied before`] = [
    modulated(ofFilter(same)),
    size,
    [3, 3, 8, 8],
  ];
}

const all = () => true;
const targets = {
  onnxruntime: {
    forms: blockedForms,
    block: await findBlockSize(ort, (model) => ort.InferenceSession.create(model)),
    rewrite: (program: Program) =>
      fuseConvolutions(winogradGradients(winogradConvolutions(program, all), all)),
  },
  openvino: {
    forms: openvinoForms,
    block: 0,
    rewrite: (program: Program) =>
      winogradGradients(sumsOfFilters(lateScales(winogradConvolutions(program, all))), all),
  },
};

const eager = await createEngine({ engine: "tfjs", native: false });
const compiled = await createEngine({ threads: 1 });

Deno.test.afterAll(async () => {
  await eager.dispose();
  await compiled.dispose();
});

const array = (name: string, shape: readonly number[]) => createRandom(1, name).normal(shape);

for (const [name, [fn, xShape, filterShape]] of Object.entries(cases)) {
  Deno.test(`Winograd's products: ${name}`, async (t) => {
    const inputs = { x: array("x", xShape), y: array("y", filterShape) };
    const traced = ({ x, y }: { x: tf.Tensor; y: tf.Tensor }) => fn(x as T4, y as T4);
    const expected = await eager.compile(traced, { name })(inputs) as HostArray;
    const program = compiled.compile(traced, { name }).program(inputs);
    for (const [target, { forms, block, rewrite }] of Object.entries(targets)) {
      await t.step(target, async () => {
        const rewritten = rewrite(program);
        assert.deepEqual(
          Object.keys(countKernels(rewritten)).filter((kernel) => /^Conv2D/.test(kernel)),
          [],
        );
        const model = lower(rewritten, "onnxruntime", nodeRules(), { forms, block });
        const actual = await runModel(model, Object.values(inputs));
        assert.deepEqual(actual.shape, expected.shape);
        const worst = difference(actual.data, expected.data);
        assert.ok(worst < 1e-5, `differs by ${worst.toExponential(1)} of the largest number`);
      });
    }
  });
}

Deno.test("Winograd's products round little, over 512 channels too", async () => {
  const [from, to, size] = [512, 32, 12];
  const x = array("x", [1, size, size, from]);
  const filter = array("filter", [3, 3, from, to]);
  const program = compiled.compile(
    ({ x, y }: { x: tf.Tensor; y: tf.Tensor }) => convolved("valid")(x as T4, y as T4),
    { name: "rounding" },
  ).program({ x, y: filter });
  const { forms, block, rewrite } = targets.onnxruntime;
  const model = lower(rewrite(program), "onnxruntime", nodeRules(), { forms, block });
  const { data, shape: [, h, w] } = await runModel(model, [x, filter]);
  const exact = Float64Array.from(data, (_, i) => {
    const [row, column, channel] = [Math.floor(i / to / w!), Math.floor(i / to) % w!, i % to];
    let sum = 0;
    for (let tap = 0; tap < 9; tap++) {
      const pixel = (row + Math.floor(tap / 3)) * size + column + tap % 3;
      for (let c = 0; c < from; c++) {
        sum += x.data[pixel * from + c]! * filter.data[(tap * from + c) * to + channel]!;
      }
    }
    return sum;
  });
  assert.equal(h, 10);
  const squares = exact.reduce((sum, number, i) => sum + (data[i]! - number) ** 2, 0);
  const mean = Math.sqrt(squares / exact.reduce((sum, number) => sum + number ** 2, 0));
  assert.ok(mean < 2.5e-6, `differs by ${mean.toExponential(1)}, root mean square`);
});

interface Given {
  /** Whether the filter is an input. */
  readonly trained?: boolean;
  readonly target?: keyof typeof WINOGRAD_COSTS;
}

/** A program as a target rewrites it. */
function rewritten(
  fn: Fn,
  xShape: readonly number[],
  filterShape: readonly number[],
  { trained = false, target = "onnxruntime" }: Given = {},
): Program {
  const constant = array("filter", trained ? [1] : filterShape);
  const program = compiled.compile(({ x, filter }: { x: tf.Tensor; filter: tf.Tensor }) => {
    const known = trained ? filter : tf.tensor(constant.data as Float32Array, [...filterShape]);
    return tf.add(fn(x as T4, known as T4), tf.mean(filter));
  }, { name: "kernels" }).program({
    x: array("x", xShape),
    filter: array("filter", trained ? filterShape : [1]),
  });
  const pays = winogradPays(WINOGRAD_COSTS[target]);
  return winogradGradients(winogradConvolutions(program, pays), pays);
}

/** How many of its kernels convolve. */
function kernelsOf(...args: Parameters<typeof rewritten>) {
  const counts = countKernels(rewritten(...args));
  return Object.fromEntries(
    Object.entries(counts).filter(([kernel]) => /Conv2D|Winograd/.test(kernel)),
  );
}

Deno.test("winogradPays() takes wide convolutions with enough tiles", () => {
  const products = { WinogradConv2D: 1, WinogradFilter: 1 };
  const constant = (channels: number, n: number, px: number, given: Given = {}) =>
    kernelsOf(same, [n, px, px, channels], [3, 3, channels, channels], given);
  assert.deepEqual(constant(512, 1, 16), products);
  assert.deepEqual(constant(512, 1, 8), { Conv2D: 1 });
  assert.deepEqual(constant(128, 4, 32), products);
  assert.deepEqual(constant(64, 4, 32), { Conv2D: 1 });
  assert.deepEqual(constant(64, 4, 32, { target: "openvino" }), { Conv2D: 1 });
});

Deno.test("winogradPays() weighs that a trained filter is transformed at every step", () => {
  const products = { WinogradConv2D: 1, WinogradFilter: 1 };
  const trained = (channels: number, given: Given = {}) =>
    kernelsOf(same, [4, 32, 32, channels], [3, 3, channels, channels], { trained: true, ...given });
  assert.deepEqual(trained(128), { Conv2D: 1 });
  assert.deepEqual(trained(512), products);
  // But OpenVINO does not merge a bias that is trained, so less is lost there.
  assert.deepEqual(trained(48, { target: "openvino" }), { Conv2D: 1 });
  assert.deepEqual(trained(64, { target: "openvino" }), products);
});

Deno.test("winogradPays() takes gradients of filters from fewer channels", () => {
  const isTaken = (channels: number, px: number, given: Given = {}) => {
    const shapes = [[4, px, px, channels], [3, 3, channels, channels]] as const;
    const kernels = kernelsOf(ofFilter(same), ...shapes, { trained: true, ...given });
    return "WinogradConv2DBackpropFilter" in kernels;
  };
  assert.deepEqual([32, 64, 128].map((channels) => isTaken(channels, 32)), [false, true, true]);
  const openvino = { target: "openvino" } as const;
  assert.deepEqual([8, 16, 64].map((channels) => isTaken(channels, 32, openvino)), [
    ...[false, true, true],
  ]);
  // With few pixels the sums of products cost more than the products.
  assert.deepEqual([4, 8].map((px) => isTaken(512, px)), [false, true]);
});

Deno.test("winogradGradients() transforms dy once for both gradients of a convolution", () => {
  const both = (channels: number, pad: Explicit = [[0, 0], [1, 1], [1, 1], [0, 0]]) => {
    const given: Given = { trained: true, target: "openvino" };
    const shapes = [[4, 32, 32, channels], [3, 3, channels, channels]] as const;
    const { ops } = rewritten(ofBoth(convolved(pad)), ...shapes, given);
    return ops.filter(({ kernel }) => /Backprop/.test(kernel))
      .map(({ kernel, attributes }) => [kernel, attributes["isShared"]]);
  };
  // The gradient of the input is a convolution, and with so few channels only if tiles serve both.
  assert.deepEqual(both(32), [[WINOGRAD_GRADIENT, true]]);
  assert.deepEqual(both(16), [["Conv2DBackpropInput", undefined], [WINOGRAD_GRADIENT, false]]);
  const wide: Explicit = [[0, 0], [3, 0], [1, 1], [0, 0]];
  assert.deepEqual(both(64, wide), [
    ["Conv2DBackpropInput", undefined],
    [WINOGRAD_GRADIENT, false],
  ]);
});

Deno.test("winogradGradients() keeps no tiles of dy until gradients of second order read them", () => {
  const penalty: Fn = (x, filter) => {
    const squares = (filter: tf.Tensor) => {
      const first = tf.grad((x) => tf.sum(tf.square(same(x as T4, filter as T4))))(x);
      return tf.sum(tf.square(first));
    };
    return tf.grad(squares)(filter);
  };
  const given: Given = { trained: true, target: "openvino" };
  const program = rewritten(penalty, [4, 32, 32, 64], [3, 3, 64, 64], given);
  const gradients = program.ops.filter(({ kernel }) => kernel === WINOGRAD_GRADIENT);
  assert.deepEqual(gradients.map(({ attributes }) => attributes["isShared"]), [false, false]);
});

Deno.test("winogradConvolutions() transforms a filter once for each direction", () => {
  const twice: Fn = (x, filter) => {
    const there: Fn = (x, filter) => same(same(x, filter) as T4, filter);
    return back(there)(x, filter);
  };
  assert.deepEqual(kernelsOf(twice, [1, 32, 32, 256], [3, 3, 256, 256]), {
    WinogradConv2D: 4,
    WinogradFilter: 2,
  });
});

Deno.test("winogradConvolutions() leaves what has other taps, strides, holes or too much padding", () => {
  const wide = (kernel: number) => [kernel, kernel, 256, 256];
  const size = [1, 64, 64, 256];
  const strided: Fn = (x, filter) => tf.conv2d(x, filter, 2, "same");
  const holes: Fn = (x, filter) => tf.conv2d(x, filter, 1, "same", "NHWC", 2);
  const wider = back(convolved([[0, 0], [3, 0], [1, 1], [0, 0]]));
  assert.deepEqual(kernelsOf(same, size, wide(5)), { Conv2D: 1 });
  assert.deepEqual(kernelsOf(same, size, wide(1)), { Conv2D: 1 });
  assert.deepEqual(kernelsOf(strided, size, wide(3)), { Conv2D: 1 });
  assert.deepEqual(kernelsOf(holes, size, wide(3)), { Conv2D: 1 });
  assert.deepEqual(kernelsOf(wider, size, wide(3)), {
    Conv2DBackpropInput: 1,
    WinogradConv2D: 1,
    WinogradFilter: 1,
  });
});
