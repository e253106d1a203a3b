import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { lift } from "../../core/flat.ts";
import { createRandom } from "../../core/random.ts";
import { createEngine } from "../../engine/mod.ts";
import { inverseHaar } from "../../layers/haar.ts";
import { noiseShapes, type StudentConfig } from "../../networks/config.ts";
import { studentCost } from "../../networks/cost.ts";
import { createTeacher, studentConfig } from "../../networks/generator.ts";
import { initMobileSynthesis, mobileSynthesis } from "../../networks/mobile_synthesis.ts";
import { createRegistry } from "../../registry.ts";

const registry = createRegistry();
const teacher = createTeacher({
  sizePx: 32,
  styleDim: 8,
  mappingLayers: 2,
  channels: [16, 8, 8, 4],
});
const config = studentConfig(teacher.config, { domain: "pixel" });
const random = createRandom(1, "pixel domain");
const inputs = {
  w: random.normal([2, 8]),
  noise: noiseShapes(32).map((shape) => random.normal(shape)),
};

Deno.test("mobileSynthesis() in the pixel domain has a block at the full size and RGB heads", () => {
  assert.deepEqual(config.channels, [16, 8, 8, 4]);
  const weights = initMobileSynthesis(config, 1, registry);
  const heads = Object.keys(weights).filter((name) => name.endsWith("head.rgb.weight"));
  assert.deepEqual(heads, [8, 16, 32].map((size) => `${size}.head.rgb.weight`));
  assert.deepEqual(weights["32.head.rgb.weight"]?.shape, [1, 1, 4, 3]);
  tf.tidy(() => {
    const noise = inputs.noise.map(({ data, shape }) =>
      tf.tensor4d(data, shape as [1, number, number, 1])
    );
    const w = tf.tensor2d(inputs.w.data, [2, 8]);
    const bands = mobileSynthesis(lift(weights), { w, noise }, config, registry);
    assert.deepEqual(
      bands.map(({ shape }) => shape),
      [4, 8, 16].map((size) => [2, size, size, 12]),
    );
    const rows = tf.tensor3d(new Float32Array(2 * 10 * 8), [2, 10, 8]); // 3 blocks and one more
    assert.equal(mobileSynthesis(lift(weights), { w: rows, noise }, config, registry).length, 3);
  });
});

Deno.test("mobileSynthesis() in the pixel domain is compiled without a Haar transform", async () => {
  const weights = initMobileSynthesis(config, 1, registry);
  const image = ({ w, noise }: { w: tf.Tensor; noise: tf.Tensor[] }) =>
    inverseHaar(
      mobileSynthesis(lift(weights), { w, noise: noise as tf.Tensor4D[] }, config, registry).at(
        -1,
      )!,
    );
  const results: Float32Array[] = [];
  for (const name of ["onnx", "tfjs"] as const) {
    const engine = await createEngine({ engine: name, threads: 1 });
    const compiled = engine.compile(image, { name: "image" });
    results.push((await compiled(inputs)).data);
    if (name === "onnx") {
      const kernels = compiled.program(inputs).ops.map(({ kernel }) => kernel);
      // One per upsampling; the transform of the head and its inverse are gone.
      assert.equal(kernels.filter((kernel) => kernel === "InverseHaar").length, 3);
      assert.ok(!kernels.includes("Haar"));
    }
    await engine.dispose();
  }
  const [compiled, eager] = results as [Float32Array, Float32Array];
  const worst = compiled.reduce((max, x, i) => Math.max(max, Math.abs(x - eager[i]!)), 0);
  assert.ok(worst < 1e-4, `differs by ${worst}`);
});

Deno.test("studentCost() of the pixel domain counts the block and heads of three colours", () => {
  const pixel = studentCost(config, registry).layers;
  const wavelet = studentCost(studentConfig(teacher.config), registry).layers;
  const extra = pixel.filter(({ sizePx }) => sizePx === 32);
  assert.deepEqual(extra.map(({ layer }) => layer.split(".")[2]), [
    "upscale",
    "conv1",
    "conv1",
    "conv2",
    "conv2",
    "head",
  ]);
  const head = extra.at(-1)!;
  assert.equal(head.parameters, 3 * 4 + 3 + (8 + 1) * 4);
  assert.equal(head.convolution, 3 * 4 * 32 ** 2);
  const body = (layers: typeof pixel) =>
    layers.filter(({ sizePx, layer }) => sizePx < 32 && !layer.includes("head"));
  assert.deepEqual(body(pixel), body(wavelet));
});

Deno.test("mobileSynthesis() in the pixel domain refuses heads that predict bands", () => {
  const skip: StudentConfig = { ...config, head: { name: "skip" } };
  assert.throws(() => initMobileSynthesis(skip, 1, registry), {
    name: "RangeError",
    message:
      'Cannot build the student: expected head "single" in the pixel domain but received "skip"',
  });
});
