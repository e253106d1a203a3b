import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import ort from "onnxruntime-node";
import type { HostArray } from "../../core/contracts.ts";
import { createRandom } from "../../core/random.ts";
import { openvinoForms } from "../../engine/forms/mod.ts";
import { nodeRules } from "../../engine/kernels/mod.ts";
import { lower } from "../../engine/lowering.ts";
import { createEngine } from "../../engine/mod.ts";
import { scaledName } from "../../engine/passes/fold_scales.ts";
import { lateScales } from "../../engine/passes/late_scales.ts";
import { sumsOfFilters } from "../../engine/passes/sums_of_filters.ts";
import { type Op, producers, type Program } from "../../engine/program.ts";
import { assertClose } from "../golden.ts";

const engine = await createEngine({ threads: 1 });
const eager = await createEngine({ engine: "tfjs", native: false });
Deno.test.afterAll(async () => {
  await engine.dispose();
  await eager.dispose();
});

interface Inputs {
  readonly x: tf.Tensor4D;
  readonly style: tf.Tensor2D;
  readonly filter: tf.Tensor4D;
}

type Demodulate = (style: tf.Tensor2D, filter: tf.Tensor4D) => tf.Tensor;

/** StyleGAN2's, which is a reciprocal root. */
const demodulation: Demodulate = (style, filter) => {
  const energy = tf.matMul(tf.square(style), tf.sum(tf.square(filter), [0, 1]) as tf.Tensor2D);
  return tf.mul(tf.rsqrt(tf.add(energy, 1e-8)), Math.SQRT2);
};

/** The gradients of a modulated convolution by all that it is given. */
function gradientsOf(demodulate: Demodulate | undefined) {
  return ({ x, style, filter }: Inputs) => {
    const loss = (x: tf.Tensor4D, style: tf.Tensor2D, filter: tf.Tensor4D) => {
      const [n, channels] = style.shape;
      const modulated = tf.mul(x, tf.reshape(style, [n, 1, 1, channels])) as tf.Tensor4D;
      const y = tf.conv2d(modulated, filter, 1, "same");
      if (!demodulate) return tf.sum(tf.sin(y)) as tf.Scalar;
      const factor = tf.reshape(demodulate(style, filter), [n, 1, 1, -1]);
      return tf.sum(tf.sin(tf.mul(y, factor))) as tf.Scalar;
    };
    return tf.grads(loss as never)([x, style, filter]) as tf.Tensor[];
  };
}

const size = { n: 2, px: 16, ci: 5, co: 6 };

function arrays(kernel: number, { n, px, ci, co } = size): Record<keyof Inputs, HostArray> {
  const random = (name: string, shape: number[]) => createRandom(1, name).normal(shape);
  return {
    filter: random("filter", [kernel, kernel, ci, co]), // the order of a program's inputs
    style: random("style", [n, ci]),
    x: random("x", [n, px, px, ci]),
  };
}

function programs(demodulate: Demodulate | undefined, inputs: ReturnType<typeof arrays>) {
  const compiled = engine.compile(gradientsOf(demodulate) as never, { name: "gradients" });
  const before = lateScales(compiled.program(inputs as never));
  return { before, after: sumsOfFilters(before) };
}

const sumsOverPixels = ({ ops, values }: Program) =>
  ops.filter(({ kernel, inputs, attributes }) =>
    kernel === "Sum" && values[inputs[0]!]!.shape.length === 4 && `${attributes["axis"]}` === "1,2"
  ).length;

const gradientOps = ({ ops }: Program) =>
  ops.filter(({ kernel }) => kernel === scaledName("Conv2DBackpropFilter"));

for (const kernel of [1, 3]) {
  for (
    const [name, demodulate, sums] of [
      ["a demodulated", demodulation, 2],
      ["a modulated", undefined, 1],
      // Its factors may be 0, by which nothing can be divided.
      ["an otherwise demodulated", (style, filter) => tf.sin(demodulation(style, filter)), 1],
    ] as readonly [string, Demodulate | undefined, number][]
  ) {
    const title = `sumsOfFilters() takes ${sums} of ${name} ${kernel}x${kernel} convolution`;
    Deno.test(`${title} from its filter's gradient`, async () => {
      const inputs = arrays(kernel);
      const { before, after } = programs(demodulate, inputs);
      assert.equal(sumsOverPixels(before) - sumsOverPixels(after), sums);
      assert.equal(gradientOps(after)[0]!.outputs.length, 1 + sums);
      const made = new Set(after.inputs);
      const makers = producers(after);
      for (const op of after.ops) {
        assert.ok(op.inputs.every((id) => made.has(id) || !makers.has(id)), op.kernel);
        op.outputs.forEach((id) => made.add(id));
      }

      const expected = await eager.compile(gradientsOf(demodulate) as never, { name })(
        inputs as never,
      ) as HostArray[];
      const model = lower(after, "openvino", nodeRules(), { forms: openvinoForms });
      const session = await ort.InferenceSession.create(model);
      const feeds = Object.values(inputs).map(({ shape, data }, i) =>
        [`in${i}`, new ort.Tensor("float32", data, shape)] as const
      );
      const results = await session.run(Object.fromEntries(feeds));
      await session.release();
      expected.forEach((array, i) => {
        const { dims, data } = results[`out${i}`]!;
        assertClose({ shape: dims, data: data as Float32Array }, array, 1e-5);
      });
    });
  }
}

Deno.test("sumsOfFilters() leaves sums over few pixels", () => {
  const few = programs(demodulation, arrays(3, { n: 2, px: 12, ci: 32, co: 32 }));
  assert.equal(few.after, few.before);
});

Deno.test("sumsOfFilters() leaves sums of another shape, and products that are read otherwise", () => {
  const { before } = programs(demodulation, arrays(3));
  const isSum = ({ kernel, attributes }: Op) =>
    kernel === "Sum" && `${attributes["axis"]}` === "1,2";
  const ops = before.ops.map((op) =>
    isSum(op) ? { ...op, attributes: { ...op.attributes, keepDims: true } } : op
  );
  const kept = { ...before, ops };
  assert.equal(sumsOfFilters(kept), kept);
  const products = before.ops.filter(isSum).map(({ inputs }) => inputs[0]!);
  assert.equal(products.length, 2);
  const read = { ...before, outputs: [...before.outputs, ...products] };
  assert.equal(sumsOfFilters(read), read);
});
