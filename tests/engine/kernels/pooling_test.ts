import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../../core/random.ts";
import { createEngine } from "../../../engine/mod.ts";

const x = createRandom(1, "pooling").normal([2, 7, 9, 3]);

const poolings: Record<string, (x: tf.Tensor4D) => tf.Tensor4D> = {
  "max 2x2": (x) => tf.maxPool(x, 2, 2, "valid"),
  "max 3x3 stride 2": (x) => tf.maxPool(x, 3, 2, "valid"),
  "max 3x3 padded": (x) => tf.maxPool(x, 3, 1, "same"),
  "average 3x3 padded": (x) => tf.avgPool(x, 3, 1, "same"),
  "average 2x3, strides 2 and 1": (x) => tf.avgPool(x, [2, 3], [2, 1], "same"),
};

for (const [name, pool] of Object.entries(poolings)) {
  Deno.test(`pooling ${name} is TensorFlow.js's`, async () => {
    const [eager, compiled] = await Promise.all(
      (["tfjs", "onnx"] as const).map(async (engineName) => {
        const engine = await createEngine({ engine: engineName, threads: 1 });
        try {
          return await engine.compile(({ x }: { x: tf.Tensor4D }) => pool(x), { name })({ x });
        } finally {
          await engine.dispose();
        }
      }),
    );
    assert.deepEqual(compiled!.shape, eager!.shape);
    eager!.data.forEach((value, i) => assert.ok(Math.abs(value - compiled!.data[i]!) < 1e-6));
  });
}
