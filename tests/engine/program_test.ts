import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { attributesKey, countKernels, printProgram } from "../../engine/program.ts";
import { passes, simplify } from "../../engine/passes/mod.ts";
import { lateScales } from "../../engine/passes/late_scales.ts";
import { ownOperands } from "../../engine/passes/own_operands.ts";
import { slopesOfResults } from "../../engine/passes/slopes_of_results.ts";
import { splitSums } from "../../engine/passes/split_sums.ts";
import { trace } from "../../engine/tracing.ts";
import { leakyRelu } from "../../layers/activation.ts";
import { interpret } from "./interpret.ts";

Deno.test("attributesKey() tells numbers apart that JSON does not", () => {
  const keys = [Infinity, -Infinity, NaN, 0, -0, null, "0"].map((value) =>
    attributesKey({ value })
  );
  assert.equal(new Set(keys).size, keys.length);
});

Deno.test("attributesKey() names matrices by their keys", () => {
  const matrix = { key: "half", rows: 1, columns: 2, data: Float32Array.of(0.5, 0.5) };
  assert.equal(attributesKey({ rows: matrix }), '{"rows":"half"}');
});

const program = trace("step", [[2, 3]], ([x]) => [tf.sum(tf.mul(tf.sin(x!), tf.sin(x!)), 1)]);

Deno.test("printProgram() writes one operation a line", () => {
  assert.equal(
    printProgram(program),
    [
      "step(%0[2,3])",
      "  %1[2,3] = Sin(%0[2,3]) {}",
      "  %2[2,3] = Sin(%0[2,3]) {}",
      "  %3[2,3] = Multiply(%1[2,3], %2[2,3]) {}",
      '  %4[2] = Sum(%3[2,3]) {"axis":1,"keepDims":false}',
      "  return %4[2]",
    ].join("\n"),
  );
});

Deno.test("countKernels() counts the most frequent first", () => {
  assert.deepEqual(Object.entries(countKernels(program)), [["Sin", 2], ["Multiply", 1], [
    "Sum",
    1,
  ]]);
  assert.deepEqual(countKernels(simplify(program)), { Multiply: 1, Sin: 1, Sum: 1 });
});

Deno.test("a value that is the same everywhere is given as a scalar", () => {
  const { values, ops } = simplify(
    trace("step", [[64, 64]], ([x]) => [tf.mul(tf.sin(x!), tf.fill([64, 64], 2))]),
  );
  const constants = ops.flatMap(({ inputs }) => inputs.filter((id) => values[id]!.constant));
  assert.deepEqual(constants.map((id) => values[id]!.shape), [[]]);
});

/** Kernels and constants of what is left of a function of one array. */
function simplified(fn: (x: tf.Tensor) => tf.Tensor) {
  const { values, ops } = simplify(trace("step", [[8, 8]], ([x]) => [fn(x!)]));
  const constants = ops.flatMap(({ inputs }) => inputs.map((id) => values[id]!.constant?.[0]));
  return {
    kernels: ops.map(({ kernel }) => kernel),
    constants: constants.filter((number) => number !== undefined),
  };
}

Deno.test("the gradient of a mean is one product with one number", () => {
  assert.deepEqual(
    simplified(tf.grad((x) => tf.mul(tf.mean(tf.square(x)), 3))),
    { kernels: ["Multiply"], constants: [3 / 32] },
  );
});

Deno.test("factors in a row are one, unless float32 would lose their product", () => {
  const twice = (a: number, b: number) => (x: tf.Tensor) => tf.mul(b, tf.mul(x, a));
  assert.deepEqual(simplified(twice(2, -4)), { kernels: ["Multiply"], constants: [-8] });
  for (const tiny of [1e-20, 1e-30]) {
    assert.equal(simplified(twice(tiny, tiny)).kernels.length, 2);
  }
});

Deno.test("reductions of axes with one number each are reshapes, of which one is left in a row", () => {
  const kernels = (fn: (x: tf.Tensor) => tf.Tensor) =>
    simplified((x) => tf.exp(fn(tf.reshape(tf.sin(x), [1, 64, 1])))).kernels;
  for (const reduce of [tf.sum, tf.mean, tf.max, tf.min, tf.prod]) {
    assert.deepEqual(kernels((x) => reduce(x, [0, 2])), ["Sin", "Reshape", "Exp"]);
    assert.deepEqual(kernels((x) => reduce(x, [0, 1])).slice(0, 2), ["Sin", "Reshape"]);
    assert.equal(kernels((x) => reduce(x, [0, 1])).length, 4);
  }
});

Deno.test("prune() forgets the numbers of constants that nothing reads", () => {
  const { values } = passes["prune"]!(
    trace("step", [[2]], ([x]) => {
      tf.cos(tf.tensor1d([1, 2]));
      return [tf.add(x!, tf.tensor1d([3, 4]))];
    }),
  );
  const known = values.flatMap(({ constant }) => constant ? [...constant] : []);
  assert.deepEqual(known, [3, 4]);
});

Deno.test("slopesOfResults() reads no operand of a leaky ReLU, unless nothing has its result", () => {
  const readers = (fn: (x: tf.Tensor) => tf.Tensor) => {
    const { ops } = slopesOfResults(simplify(trace("step", [[2]], ([x]) => [fn(x!)])));
    const sine = ops.find(({ kernel }) => kernel === "Sin")!.outputs[0]!;
    return ops.filter(({ inputs }) => inputs.includes(sine)).map(({ kernel }) => kernel);
  };
  const both = (x: tf.Tensor) => {
    const { value, grad } = tf.valueAndGrad((x) => tf.sum(tf.square(leakyRelu(tf.sin(x), 0.2))))(x);
    return tf.add(value, grad);
  };
  assert.deepEqual(readers(both), ["LeakyRelu"]);
  const gradient = tf.grad((x) => tf.sum(leakyRelu(tf.sin(x), 0.2)));
  assert.deepEqual(readers(gradient), ["LeakyReluGradient"]);
});

Deno.test("lateScales() multiplies gradients of filters, not the images that they are made of", () => {
  const read = (size: number, scale: number[]) => {
    const shapes = [[2, size, size, 3], scale, [3, 3, 3, 4]];
    const given = simplify(trace("step", shapes, ([x, scale, filter]) => {
      const convolve = (w: tf.Tensor) =>
        tf.sum(
          tf.square(tf.conv2d(tf.mul(x!, scale!) as tf.Tensor4D, w as tf.Tensor4D, 1, "same")),
        );
      return [tf.grad(convolve)(filter!)];
    }));
    const { ops } = lateScales(given);
    const gradient = ops.find(({ kernel }) => kernel.startsWith("Conv2DBackpropFilter"))!;
    const product = ops.find(({ kernel }) => kernel === "Conv2D")!.inputs[0]!;
    const name = (id: number) =>
      id === product ? "product" : ["x", "scale"][given.inputs.indexOf(id)] ?? "dy";
    return [gradient.kernel, ...gradient.inputs.map(name)];
  };
  const late = ["Conv2DBackpropFilterWithScale", "x", "dy", "scale"];
  assert.deepEqual(read(12, [2, 1, 1, 3]), late);
  assert.deepEqual(read(12, [3]), late);
  const asGiven = ["Conv2DBackpropFilter", "product", "dy"];
  assert.deepEqual(read(11, [2, 1, 1, 3]), asGiven); // fewer pixels than it is worth
  assert.deepEqual(read(12, [2, 12, 12, 3]), asGiven);
});

Deno.test("splitSums() makes no image of noise and bias, and no sum that is read twice", () => {
  const shapes = [[2, 4, 4, 3], [1, 4, 4, 1], [3]];
  const sums = (fn: (x: tf.Tensor, noise: tf.Tensor, bias: tf.Tensor) => tf.Tensor[]) => {
    const program = trace("step", shapes, ([x, noise, bias]) => fn(x!, noise!, bias!));
    const { ops, values, outputs } = splitSums(program);
    assert.deepEqual(outputs, program.outputs);
    return ops.map(({ inputs, outputs }) =>
      [...inputs, ...outputs].map((id) => `[${values[id]!.shape}]`).join(" ")
    );
  };
  const apart = ["[2,4,4,3] [3] [2,4,4,3]", "[2,4,4,3] [1,4,4,1] [2,4,4,3]"];
  assert.deepEqual(sums((x, noise, bias) => [tf.add(x, tf.add(noise, bias))]), apart);
  assert.deepEqual(sums((x, noise, bias) => [tf.add(tf.add(bias, noise), x)]), apart);
  const twice = sums((x, noise, bias) => {
    const both = tf.add(noise, bias);
    return [tf.add(x, both), both];
  });
  assert.deepEqual(twice, ["[1,4,4,1] [3] [1,4,4,3]", "[2,4,4,3] [1,4,4,3] [2,4,4,3]"]);
  const scalar = sums((x, noise) => [tf.add(x, tf.add(noise, 1))]);
  assert.deepEqual(scalar[0], "[1,4,4,1] [] [1,4,4,1]");
});

Deno.test("ownOperands() gives a small operand to every reader that can write in place", () => {
  const large = [2, 64, 64, 4];
  const made = (fn: (x: tf.Tensor, bias: tf.Tensor) => tf.Tensor[], shape = large) => {
    const given = trace("step", [shape, [4]], ([x, bias]) => fn(x!, bias!));
    const program = ownOperands(given);
    const inputs = [tf.randomNormal(shape), tf.tensor1d([1, -2, 3, 0.5])];
    const expected = interpret(given, inputs).map((x) => x.dataSync());
    assert.deepEqual(interpret(program, inputs).map((x) => x.dataSync()), expected);
    const readers = program.ops.filter(({ kernel }) => ["Add", "Sub", "Multiply"].includes(kernel));
    return readers.map(({ inputs }) => inputs[1] === given.inputs[1] ? "shared" : inputs[1]);
  };
  const both = (x: tf.Tensor, bias: tf.Tensor) => [
    tf.add(tf.sin(x), bias),
    tf.mul(tf.cos(x), bias),
  ];
  const own = made(both);
  assert.equal(new Set(own).size, 2);
  assert.ok(!own.includes("shared"));
  assert.deepEqual(made(both, [2, 4, 4, 4]), ["shared", "shared"]); // small images
  assert.deepEqual(made((x, bias) => [tf.add(tf.sin(x), bias)]), ["shared"]); // the only reader
  const keptImage = made((x, bias) => {
    const sine = tf.sin(x);
    return [tf.add(sine, bias), tf.sub(sine, bias), tf.sub(tf.cos(x), bias)];
  });
  assert.deepEqual(keptImage, ["shared", "shared", "shared"]);
  const given = made((x, bias) => [tf.add(x, bias), tf.sub(x, bias)]);
  assert.deepEqual(given, ["shared", "shared"]);
});
