/**
 * OpenVINO against ONNX Runtime: every kernel with its derivatives, parts, and a distillation. The
 * golden fixtures run on it in `tests/parity/`. `deno task test:openvino` runs all of it; where
 * OpenVINO is not installed it is ignored.
 */
import * as tf from "@tensorflow/tfjs";
import { partsOf } from "../../core/check_plugin.ts";
import { lift } from "../../core/flat.ts";
import { createRandom } from "../../core/random.ts";
import { findOpenvino } from "../../engine/find_openvino.ts";
import { createEngine } from "../../engine/mod.ts";
import { discriminatorFeatures, initDiscriminator } from "../../networks/discriminator.ts";
import { conformanceOf } from "../../pipelines/conformance/mod.ts";
import { builtin, createRegistry } from "../../registry.ts";
import { assertClose } from "../golden.ts";
import { assertSameDistillation } from "./same_distillation.ts";
import { compareKernels } from "./same_kernels.ts";

const ignore = !("path" in findOpenvino(undefined));
const onnx = await createEngine({ threads: 1 });
const openvino = ignore ? onnx : await createEngine({ engine: "openvino", threads: 1 });

Deno.test.afterAll(async () => {
  await onnx.dispose();
  await openvino.dispose();
});

for (const { kernel, compare } of compareKernels([])) {
  Deno.test(
    `openvino: kernel ${kernel} is ONNX Runtime's, derivatives too`,
    { ignore },
    async () => {
      await compare(onnx, openvino, 1e-4);
    },
  );
}

Deno.test("openvino: frozen filters are read both ways", { ignore }, async () => {
  const config = { sizePx: 16, channels: [8, 8, 4], stddevGroup: 4 };
  const weights = initDiscriminator(config, 1);
  const slope = (image: tf.Tensor4D) =>
    tf.grad((x) => {
      const maps = discriminatorFeatures(lift(weights), x as tf.Tensor4D, config);
      return tf.addN(maps.map((map) => tf.mean(tf.square(map))));
    })(image);
  const image = createRandom(1, "image").normal([8, 16, 16, 3]);
  const [a, b] = [onnx, openvino].map((engine) => engine.compile(slope, { name: "slope" })(image));
  assertClose(await b!, await a!, 1e-5);
});

const general = / has options | makes whole and repeatable weights$| survives /;
const parts = partsOf(builtin, false);
for (const { name, run } of conformanceOf(parts, createRegistry(), [onnx, openvino])) {
  if (!name.endsWith("gives the same on every engine") || general.test(name)) continue;
  Deno.test(`openvino: ${name}`, { ignore }, run);
}

Deno.test("openvino: distill() makes ONNX Runtime's ten steps", { ignore }, async () => {
  await assertSameDistillation(openvino, onnx, { steps: 10, tolerance: 1e-4 });
});
