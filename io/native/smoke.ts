/**
 * Run by `buildNativeAddon` in a process of its own: gradients of a convolution with the addon, next
 * to those of TensorFlow.js in JavaScript.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../core/random.ts";
import { findNativeAddon } from "../../engine/native.ts";
import { createEngine, type Engine } from "../../engine/mod.ts";

interface Inputs {
  readonly x: tf.Tensor;
  readonly weight: tf.Tensor;
}

/** A training step in small: a 3x3 convolution, and the gradients of a loss of it. */
function step({ x, weight }: Inputs): { readonly x: tf.Tensor; readonly weight: tf.Tensor } {
  const loss = (x: tf.Tensor, weight: tf.Tensor) =>
    tf.mean(tf.square(tf.conv2d(x as tf.Tensor4D, weight as tf.Tensor4D, 1, "same"))) as tf.Scalar;
  const [dx, dWeight] = tf.grads(loss)([x, weight]);
  return { x: dx!, weight: dWeight! };
}

async function measure(engine: Engine) {
  const random = createRandom(1, "smoke");
  const inputs = { x: random.normal([4, 32, 32, 16]), weight: random.normal([3, 3, 16, 16]) };
  const run = engine.compile(step, { name: "smoke test" });
  await run(inputs); // the first run loads and plans
  const start = performance.now();
  const gradients = await run(inputs);
  return { gradients, ms: performance.now() - start };
}

if (import.meta.main) {
  const addon = findNativeAddon();
  if (!addon) throw new Error("Cannot test the native addon: expected one but found none");
  const [device] = Deno.args as ["auto" | "cpu" | "cuda"];
  const native = await createEngine({ engine: "tfjs", device });
  const reference = await createEngine({ engine: "tfjs", native: false });
  const [ours, theirs] = [await measure(native), await measure(reference)];
  const worst = (["x", "weight"] as const).flatMap((name) => {
    const { data } = theirs.gradients[name];
    const scale = Math.max(...data.map(Math.abs));
    return Math.max(...ours.gradients[name].data.map((x, i) => Math.abs(x - data[i]!))) / scale;
  });
  const difference = Math.max(...worst);
  if (!(difference < 1e-5)) {
    throw new Error(
      `Cannot trust the native addon: expected gradients within 1e-5 but received ${difference}`,
    );
  }
  console.log(
    `${native.description}: gradients within ${difference.toExponential(0)} of JavaScript's, ${
      ours.ms.toFixed(1)
    } ms against ${theirs.ms.toFixed(0)} ms`,
  );
}
