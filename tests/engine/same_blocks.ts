import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../../core/contracts.ts";
import { createRandom } from "../../core/random.ts";
import { createEngine, type Engine } from "../../engine/mod.ts";

type T4 = tf.Tensor4D;

/** A function of an image in whole blocks of channels, and of something else. */
export type BlockFunction = (x: T4, y: tf.Tensor) => tf.Tensor;

/** Functions with the shapes of what they are given, by what they show. */
export type BlockCases = Readonly<Record<string, [BlockFunction, x: number[], y?: number[]]>>;

/** Numbers of a name. */
export const array = (name: string, shape: readonly number[]): HostArray =>
  createRandom(1, name).normal(shape);

/** Registers a test per function: ONNX Runtime computes what TensorFlow.js does, with derivatives. */
export async function testBlocks(cases: BlockCases): Promise<readonly [Engine, Engine]> {
  const engines = [
    await createEngine({ engine: "tfjs" }),
    await createEngine({ threads: 2 }),
  ] as const;
  for (const [name, [fn, xShape, yShape = [1]]] of Object.entries(cases)) {
    Deno.test(`blocked forms: ${name} and its derivatives are the same compiled and eager`, async () => {
      const inputs = { x: array(`${name}.x`, xShape), y: array(`${name}.y`, yShape) };
      const steps = engines.map((engine) =>
        engine.compile(({ x, y }: { x: tf.Tensor; y: tf.Tensor }) => {
          const loss = (x: tf.Tensor, y: tf.Tensor) =>
            tf.sum(tf.square(fn(x as T4, y))) as tf.Scalar;
          const { value, grads } = tf.valueAndGrads((x, y) =>
            tf.add(loss(x!, y!), tf.mul(tf.sum(y!), 0))
          )([x, y]);
          return { result: fn(x as T4, y), value, dx: grads[0]!, dy: grads[1]! };
        }, { name })
      );
      const [expected, actual] = await Promise.all(steps.map((step) => step(inputs)));
      for (const key of ["result", "value", "dx", "dy"] as const) {
        assertClose(key, actual![key] as HostArray, expected![key] as HostArray);
      }
      // Without derivatives, which read what is then free to be merged.
      const alone = engines[1].compile(
        ({ x, y }: { x: tf.Tensor; y: tf.Tensor }) => ({ result: fn(x as T4, y) }),
        { name },
      );
      const { result } = await alone(inputs);
      assertClose("result alone", result as HostArray, expected!.result as HostArray);
    });
  }
  Deno.test.afterAll(async () => {
    for (const engine of engines) await engine.dispose();
  });
  return engines;
}

function assertClose(key: string, actual: HostArray, expected: HostArray): void {
  assert.deepEqual(actual.shape, expected.shape);
  const scale = expected.data.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1e-9);
  const worst = expected.data.reduce((w, x, i) => Math.max(w, Math.abs(x - actual.data[i]!)), 0);
  assert.ok(worst <= 3e-6 * scale, `${key} differs by ${worst} of ${scale}`);
}
