import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../../core/contracts.ts";
import { flatLayout, flatten, views } from "../../core/flat.ts";
import { createRandom } from "../../core/random.ts";
import { createEngine } from "../../engine/mod.ts";
import { noiseShapes, type StudentConfig } from "../../networks/config.ts";
import { initMobileSynthesis, mobileSynthesis } from "../../networks/mobile_synthesis.ts";
import { createRegistry } from "../../registry.ts";

const registry = createRegistry();
const random = createRandom(5, "test");
const base: StudentConfig = {
  sizePx: 32,
  styleDim: 8,
  mappingLayers: 1,
  channels: [16, 12, 8],
  upscale: { name: "idwt" },
  conv: { name: "separable_modulated" },
  demodulation: { name: "trainable" },
  head: { name: "single" },
  auxiliary: true,
};
const w = random.normal([3, 8]);
const noise = noiseShapes(16).map((shape) => random.normal(shape));
const targets = [4, 8, 16].map((size) => random.normal([3, size, size, 12]));

const engines = [await createEngine({ engine: "tfjs" }), await createEngine({ threads: 2 })];
Deno.test.afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});

interface Inputs {
  readonly vector: tf.Tensor;
  readonly w: tf.Tensor;
  readonly noise: readonly tf.Tensor4D[];
  readonly targets: readonly tf.Tensor4D[];
}

function assertNear(actual: HostArray, expected: HostArray, what: string): void {
  const scale = expected.data.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  const worst = expected.data.reduce((w, x, i) => Math.max(w, Math.abs(x - actual.data[i]!)), 0);
  assert.ok(scale > 0 && worst <= 1e-5 * scale, `${what}: ${worst} of ${scale}`);
}

const kinds = ["upscale", "conv", "demodulation", "head"] as const;
for (const kind of kinds) {
  for (const { name } of registry.list(kind)) {
    Deno.test(`a student with ${kind} "${name}" has the same gradient compiled and eager`, async () => {
      const config = { ...base, [kind]: { name } };
      const weights = initMobileSynthesis(config, 1, registry);
      const layout = flatLayout(weights);
      const { shape, data } = flatten(weights, layout);
      const offsets = random.normal(shape, 0.1).data;
      const vector = { shape, data: data.map((x, i) => x + offsets[i]!) };
      const step = ({ vector, w, noise, targets }: Inputs) => {
        const loss = (vector: tf.Tensor) => {
          const bands = mobileSynthesis(views(vector, layout), { w, noise }, config, registry);
          return tf.addN(
            bands.map((band, i) => tf.mean(tf.square(tf.sub(band, targets[i]!)))),
          ) as tf.Scalar;
        };
        const { value, grad } = tf.valueAndGrad(loss)(vector);
        return { value, grad };
      };
      const [eager, compiled] = await Promise.all(
        engines.map((engine) =>
          engine.compile(step, { name: "student" })({ vector, w, noise, targets } as never)
        ),
      );
      assertNear(compiled!.value, eager!.value, "loss");
      assertNear(compiled!.grad, eager!.grad, "gradient");
    });
  }
}
