import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../../core/contracts.ts";
import { flatLayout, flatten, views } from "../../core/flat.ts";
import { createRandom } from "../../core/random.ts";
import { createEngine } from "../../engine/mod.ts";
import { discriminator, initDiscriminator } from "../../networks/discriminator.ts";
import { noiseShapes } from "../../networks/config.ts";
import { initMapping, mapping } from "../../networks/mapping.ts";
import { initSynthesis, synthesis } from "../../networks/synthesis.ts";

const teacher = { sizePx: 16, styleDim: 16, mappingLayers: 2, channels: [16, 12, 8] };
const critic = { sizePx: 16, channels: [16, 12, 8], stddevGroup: 4 };
const batch = 4;

const random = createRandom(3, "test");
const mappingWeights = initMapping(teacher, 1);
const synthesisWeights = initSynthesis(teacher, 1);
const criticWeights = initDiscriminator(critic, 1);
const layouts = {
  mapping: flatLayout(mappingWeights),
  synthesis: flatLayout(synthesisWeights),
  critic: flatLayout(criticWeights),
};
/** All weights, moved away from their zero and one initial values. */
const jitter = ({ shape, data }: HostArray) => {
  const { data: offsets } = random.normal(shape, 0.2);
  return { shape, data: data.map((value, i) => value + offsets[i]!) };
};
const mappingVector = jitter(flatten(mappingWeights, layouts.mapping));
const synthesisVector = jitter(flatten(synthesisWeights, layouts.synthesis));
const criticVector = jitter(flatten(criticWeights, layouts.critic));
const noise = noiseShapes(16, batch).map((shape) => random.normal(shape));
const z = random.normal([batch, teacher.styleDim]);
const image = random.normal([batch, 16, 16, 3]);

interface Inputs {
  readonly mapping: tf.Tensor;
  readonly synthesis: tf.Tensor;
  readonly critic: tf.Tensor;
  readonly z: tf.Tensor;
  readonly image: tf.Tensor;
  readonly noise: tf.Tensor[];
}
const inputs = {
  mapping: mappingVector,
  synthesis: synthesisVector,
  critic: criticVector,
  z,
  image,
  noise,
};

const logits = (vector: tf.Tensor, x: tf.Tensor) =>
  discriminator(views(vector, layouts.critic), x as tf.Tensor4D, critic);

const steps: Record<string, (inputs: Inputs) => Record<string, tf.Tensor>> = {
  generator: ({ mapping: m, synthesis: s, critic: c, z, noise }) => {
    const loss = (m: tf.Tensor, s: tf.Tensor) => {
      const w = mapping(views(m, layouts.mapping), z as tf.Tensor2D, teacher);
      const fake = synthesis(
        views(s, layouts.synthesis),
        { w, noise: noise as tf.Tensor4D[] },
        teacher,
      );
      return tf.mean(tf.softplus(tf.neg(logits(c, fake)))) as tf.Scalar;
    };
    const { value, grads } = tf.valueAndGrads(loss)([m, s]);
    return { value, mapping: grads[0]!, synthesis: grads[1]! };
  },
  discriminator: ({ critic: c, image }) => {
    const { value, grad } = tf.valueAndGrad((c) =>
      tf.mean(tf.softplus(logits(c, image))) as tf.Scalar
    )(c);
    return { value, grad };
  },
  r1: ({ critic: c, image }) => {
    const { value, grad } = tf.valueAndGrad((c) => {
      const gradient = tf.grad((x) => tf.sum(logits(c, x)))(image);
      return tf.mean(tf.sum(tf.square(gradient), [1, 2, 3])) as tf.Scalar;
    })(c);
    return { value, grad };
  },
};

const engines = [await createEngine({ engine: "tfjs" }), await createEngine({ threads: 2 })];

for (const [name, step] of Object.entries(steps)) {
  Deno.test(`the ${name} step is the same compiled and eager`, async () => {
    const [eager, compiled] = await Promise.all(
      engines.map(async (engine) => await engine.compile(step, { name })(inputs)),
    );
    for (const [key, { data: expected }] of Object.entries(eager!)) {
      const { data: actual } = compiled![key]!;
      const scale = expected.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
      const worst = expected.reduce((w, x, i) => Math.max(w, Math.abs(x - actual[i]!)), 0);
      assert.ok(scale > 0 && worst <= 3e-6 * scale, `${key}: ${worst} of ${scale}`);
    }
  });
}

Deno.test.afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});
