import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../../core/random.ts";
import { createEngine } from "../../../engine/mod.ts";
import { assertClose } from "../../golden.ts";

const random = createRandom(1, "depth to space");

for (const [block, shape] of [[2, [2, 3, 4, 12]], [3, [1, 2, 2, 18]]] as const) {
  Deno.test(`depthToSpace by ${block} and its derivatives are the same compiled and eager`, async () => {
    const x = random.normal(shape);
    const y = ({ x }: { x: tf.Tensor4D }) => {
      const cube = (x: tf.Tensor) =>
        tf.sum(tf.pow(tf.depthToSpace(x as tf.Tensor4D, block), 3)) as tf.Scalar;
      const slope = tf.grad(cube);
      const curvature = tf.grad((x) => tf.sum(tf.square(slope(x))));
      return { value: tf.depthToSpace(x, block), slope: slope(x), curvature: curvature(x) };
    };
    const results = [];
    for (const name of ["tfjs", "onnx"] as const) {
      const engine = await createEngine({ engine: name, threads: 1 });
      results.push(await engine.compile(y, { name: "shuffle" })({ x }));
      await engine.dispose();
    }
    const [eager, compiled] = results;
    assertClose(compiled!.value, eager!.value, 0);
    assertClose(eager!.slope, { shape, data: x.data.map((x) => 3 * x ** 2) });
    assertClose(eager!.curvature, { shape, data: x.data.map((x) => 36 * x ** 3) });
    assertClose(compiled!.slope, eager!.slope);
    assertClose(compiled!.curvature, eager!.curvature);
    assert.deepEqual(eager!.value.shape, [
      shape[0],
      shape[1] * block,
      shape[2] * block,
      shape[3] / block ** 2,
    ]);
  });
}
