import assert from "node:assert/strict";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../../core/contracts.ts";
import { nodeRules } from "../../engine/kernels/mod.ts";
import { lower } from "../../engine/lowering.ts";
import { trace } from "../../engine/tracing.ts";
import { openOnnxNetwork } from "../../io/onnx_network.ts";
import { normal } from "../tensors.ts";

const rules = nodeRules();
await tf.setBackend("cpu");

/** Writes the ONNX file of a function of inputs of these shapes, and lends its path. */
async function withFile(
  shapes: readonly (readonly number[])[],
  fn: (inputs: tf.Tensor[]) => tf.Tensor[],
  use: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-onnx-" });
  try {
    const path = join(folder, "network.onnx");
    await Deno.writeFile(path, lower(trace("test", shapes, fn), "onnxruntime", rules));
    await use(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const hostOf = (tensor: tf.Tensor): HostArray => ({
  shape: tensor.shape,
  data: tensor.dataSync<"float32">(),
});
const near = (actual: HostArray, expected: tf.Tensor, tolerance = 1e-5) => {
  assert.deepEqual([...actual.shape], expected.shape);
  expected.dataSync().forEach((value, i) =>
    assert.ok(Math.abs(value - actual.data[i]!) < tolerance, `${actual.data[i]} not ${value}`)
  );
};
const images = normal("images", [3, 8, 8, 3]);

Deno.test("openOnnxNetwork() runs [N,H,W,3], some at a time, in the range that is asked for", () =>
  // of two images at a time: their mean colors in both halves
  withFile([[2, 8, 8, 3]], ([x]) => [tf.mean(tf.reshape(x!, [2, 2, 32, 3]), 2)], async (path) => {
    const expected = tf.reshape(tf.mean(tf.reshape(images, [3, 2, 32, 3]), 2), [3, 6]);
    const plain = await openOnnxNetwork(path);
    near(await plain.run(hostOf(images)), expected);
    assert.equal(plain.input, "float32 [2,8,8,3], values -1..1");
    assert.match(plain.checksum, /^[0-9a-f]{8}$/);
    await plain.dispose();
    const bytes = await openOnnxNetwork(path, { range: "0..255", threads: 1 });
    near(await bytes.run(hostOf(images)), tf.mul(tf.add(expected, 1), 127.5), 1e-3);
    await bytes.dispose();
  }));

Deno.test("openOnnxNetwork() runs [N,3,H,W], resized bilinearly", () =>
  withFile([[1, 3, 5, 12]], ([x]) => [tf.reshape(x!, [1, 180])], async (path) => {
    const network = await openOnnxNetwork(path);
    const resized = tf.image.resizeBilinear(images, [5, 12], false, true);
    near(
      await network.run(hostOf(images)),
      tf.reshape(tf.transpose(resized, [0, 3, 1, 2]), [3, 180]),
    );
    await network.dispose();
  }));

Deno.test("openOnnxNetwork() refuses other inputs and outputs", async () => {
  const rule =
    "expected one input, float32 [N,3,H,W] or [N,H,W,3], and one output but received inputs";
  await withFile([[1, 8]], ([x]) => [tf.square(x!)], async (path) => {
    await assert.rejects(openOnnxNetwork(path), {
      name: "RangeError",
      message: `Cannot take features of ${
        JSON.stringify(path)
      }: ${rule} in0 float32 [1,8] and outputs out0`,
    });
  });
  const two = ([x, y]: tf.Tensor[]) => [tf.square(x!), tf.square(y!)];
  await withFile([[1, 4, 4, 3], [1]], two, async (path) => {
    await assert.rejects(openOnnxNetwork(path), {
      name: "RangeError",
      message: `Cannot take features of ${
        JSON.stringify(path)
      }: ${rule} in0 float32 [1,4,4,3], in1 float32 [1] and outputs out0, out1`,
    });
  });
  await withFile([[1, 4, 4, 3]], ([x]) => [tf.sum(x!)], async (path) => {
    const network = await openOnnxNetwork(path);
    await assert.rejects(network.run(hostOf(normal("one", [1, 4, 4, 3]))), {
      name: "RangeError",
      message: `Cannot take features of ${
        JSON.stringify(path)
      }: expected an output of float32 [1,...] but received float32 []`,
    });
    await network.dispose();
  });
});

Deno.test("openOnnxNetwork() refuses what is no model", async () => {
  const path = await Deno.makeTempFile({ suffix: ".onnx" });
  await Deno.writeTextFile(path, "hello");
  try {
    await assert.rejects(openOnnxNetwork(path), (error: Error) => {
      assert.equal(error.name, "SyntaxError");
      assert.match(
        error.message,
        /^Cannot open the network ".*": expected an ONNX model but received ".+"$/,
      );
      return true;
    });
  } finally {
    await Deno.remove(path);
  }
});
