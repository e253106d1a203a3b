import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import type { LossStep, Plugin } from "../../core/contracts.ts";
import { defineConv, defineDemodulation, defineLoss, defineUpscale } from "../../core/define.ts";
import { createEngine } from "../../engine/mod.ts";
import { noiseAndBias } from "../../layers/noise.ts";
import { testPlugin } from "../../pipelines/test_plugin.ts";

const engines = [await createEngine({ engine: "tfjs" }), await createEngine()] as const;
Deno.test.afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});

const described = { summary: "s", source: "s", options: z.object({}) } as const;

/** A good part, to plant faults in. */
const shuffle = defineUpscale({
  ...described,
  name: "acme/shuffle",
  outChannels: (channels) => channels,
  init: ({ channels }, random) => ({ weight: random.normal([1, 1, channels, 4 * channels], 0.3) }),
  apply({ weight }, { x }) {
    const [n, h, w, c] = x.shape;
    const cells = tf.reshape(tf.conv2d(x, weight, 1, "same"), [n, h, w, 2, 2 * c]);
    return tf.reshape(tf.transpose(cells, [0, 1, 3, 2, 4]), [n, 2 * h, 2 * w, c]);
  },
});
const pointwise = defineConv({
  ...described,
  name: "acme/pointwise",
  init: ({ inChannels, outChannels }, random) => ({
    weight: random.normal([1, 1, inChannels, outChannels], 0.3),
    bias: random.normal([outChannels]),
    strength: random.normal([1]),
  }),
  apply({ weight, bias, strength }, { x, style, noise, demodulation }) {
    const energy = tf.reshape(tf.square(weight), weight.shape.slice(2)) as tf.Tensor2D;
    const modulation = tf.tile(tf.mean(style, 1, true), [1, x.shape[3]]) as tf.Tensor2D;
    const factors = demodulation?.({ energy, modulation }) ?? tf.ones([1, bias.shape[0]!]);
    const y = tf.mul(tf.conv2d(x, weight, 1, "same"), tf.reshape(factors, [-1, 1, 1, bias.size]));
    return tf.add(y, noiseAndBias({ bias, strength, noise }));
  },
  fuse({ weight, ...others }, { demodulation }) {
    const energy = tf.reshape(tf.square(weight), weight.shape.slice(2)) as tf.Tensor2D;
    const factors = demodulation({ energy, modulation: tf.ones([1, energy.shape[0]]) });
    return { ...others, weight: tf.mul(weight, tf.reshape(factors, [1, 1, 1, -1])) };
  },
});
const unit = defineDemodulation({
  ...described,
  name: "acme/unit",
  init: () => ({}),
  apply: (_, { energy }) => tf.rsqrt(tf.add(tf.sum(energy, 0, true), 1e-8)) as tf.Tensor2D,
});
const l2 = defineLoss({
  ...described,
  name: "acme/l2",
  student({ scales }) {
    const { studentImage, teacherImage } = scales.at(-1)!;
    return tf.mean(tf.square(tf.sub(studentImage, teacherImage)));
  },
});

const prepared = defineLoss({
  ...described,
  name: "acme/prepared",
  async prepare({ sizePx, teacherImages }) {
    const { shape, data } = await teacherImages([1, 2, 3]);
    assert.deepEqual(shape, [3, sizePx, sizePx, 3]);
    return { shift: { shape: [], data: Float32Array.of(data[0]!) } };
  },
  student: ({ scales, constants }) =>
    tf.square(tf.sub(tf.mean(scales.at(-1)!.studentImage), constants!["shift"]!)) as tf.Scalar,
});

Deno.test("testPlugin() accepts good parts and names its checks", async () => {
  const plugin = {
    name: "acme",
    upscales: [shuffle],
    convs: [pointwise],
    demodulations: [unit],
    losses: [{ ...l2, perImage: true }, prepared],
  };
  const checks = await testPlugin(plugin, { engines });
  assert.deepEqual(checks.filter((name) => name.startsWith("upscale")), [
    'upscale "acme/shuffle" has options that survive JSON',
    'upscale "acme/shuffle" makes whole and repeatable weights',
    'upscale "acme/shuffle" gives the shape that its kind asks for',
    'upscale "acme/shuffle" is finite',
    'upscale "acme/shuffle" repeats exactly',
    'upscale "acme/shuffle" leaves no tensor behind',
    'upscale "acme/shuffle" treats each image alone',
    'upscale "acme/shuffle" has gradients that equal differences',
    'upscale "acme/shuffle" survives saving and loading',
    'upscale "acme/shuffle" gives the same on every engine',
  ]);
  assert.ok(checks.includes('loss "acme/l2" is the mean over images that it says'));
  assert.ok(checks.includes('conv "acme/pointwise" (fused) gives the same when fused'));
});

let calls = 0;
const kept: tf.Tensor[] = [];
const upscale = (changes: object): Plugin => ({
  name: "acme",
  upscales: [{ ...shuffle, ...changes }],
});
const applying = (change: (y: tf.Tensor4D, x: tf.Tensor4D, weight: tf.Tensor) => tf.Tensor) =>
  upscale({
    apply: (params: { weight: tf.Tensor }, { x }: { x: tf.Tensor4D }) =>
      change(shuffle.apply(params, { x, style: tf.zeros([x.shape[0], 1]) }, {}), x, params.weight),
  });

/** A fault, and the start of the error that must find it. */
const faults: Readonly<Record<string, readonly [plugin: () => Plugin, message: RegExp]>> = {
  "another shape": [
    () => applying((_, x) => x),
    /^Cannot see that upscale "acme\/shuffle" gives the shape that its kind asks for: expected shape \[2,8,8,8\] but received \[2,4,4,8\]$/,
  ],
  "NaN": [
    () => applying((y) => tf.log(y)),
    /^Cannot see that upscale "acme\/shuffle" is finite: expected finite numbers but received (NaN|-?Infinity) at \d+$/,
  ],
  "randomness of its own": [
    () => applying((y) => tf.add(y, tf.randomNormal(y.shape))),
    /^Cannot see that upscale "acme\/shuffle" repeats exactly: expected a second run, with the same `random`, to be .+ at 0 but received .+$/,
  ],
  "a memory of earlier calls": [
    () => applying((y) => tf.add(y, ++calls)),
    /^Cannot see that upscale "acme\/shuffle" repeats exactly: /,
  ],
  "a kept tensor": [
    () => applying((y) => (kept.push(tf.keep(tf.scalar(1))), y)),
    /^Cannot see that upscale "acme\/shuffle" leaves no tensor behind: expected as many tensors after a call as before but received 1 more$/,
  ],
  "a disposed weight": [
    () => applying((y, _, weight) => (weight.dispose(), y)),
    /^Cannot see that upscale "acme\/shuffle" gives the shape that its kind asks for: expected "weight" to be left alone but received it disposed$/,
  ],
  "a mean over the batch": [
    () => applying((y) => tf.sub(y, tf.mean(y, 0, true))),
    /^Cannot see that upscale "acme\/shuffle" treats each image alone: expected an image without the others of its batch to be .+ but received 0$/,
  ],
  "a weight that nothing reads": [
    () =>
      upscale({
        init: () => ({
          weight: { shape: [1, 1, 8, 32], data: new Float32Array(256).fill(0.1) },
          unused: { shape: [1], data: Float32Array.of(1) },
        }),
      }),
    /^Cannot see that upscale "acme\/shuffle" has gradients that equal differences: expected a gradient of weights\.unused but received 0, so that nothing would train it$/,
  ],
  "a gradient that is not the slope": [
    () =>
      applying((y) =>
        tf.customGrad((input) => ({
          value: tf.mul(input as tf.Tensor, 2),
          gradFunc: (dy: tf.Tensor) => dy,
        }))(y)
      ),
    /^Cannot see that upscale "acme\/shuffle" has gradients that equal differences: expected the gradient of weights\.weight to have the slope .+ or .+ of differences but received .+$/,
  ],
  "a gradient that tfjs does not have": [
    () =>
      applying((y) => {
        const sign = tf.searchSorted(tf.zeros([y.shape[0], 1]), tf.reshape(y, [y.shape[0], -1]));
        return tf.mul(y, tf.reshape(tf.cast(sign, "float32"), y.shape));
      }),
    /^Cannot see that upscale "acme\/shuffle" has gradients that equal differences: /,
  ],
  "an init() that is not repeatable": [
    () => upscale({ init: () => ({ weight: { shape: [1], data: Float32Array.of(++calls) } }) }),
    /^Cannot see that upscale "acme\/shuffle" makes whole and repeatable weights: expected "weight" of a second init\(\) from the same random numbers to be \d+ at 0 but received \d+$/,
  ],
  "a weight of another size": [
    () => upscale({ init: () => ({ weight: { shape: [2], data: Float32Array.of(1) } }) }),
    /^Cannot see that upscale "acme\/shuffle" makes whole and repeatable weights: expected weight "weight" of shape \[2\] to have 2 numbers but received 1$/,
  ],
  "a buffer that is no weight": [
    () => upscale({ buffers: ["mean"] }),
    /^Cannot see that upscale "acme\/shuffle" makes whole and repeatable weights: expected buffer "mean" to be one of the weights but received weight$/,
  ],
  "an init() that throws": [
    () =>
      upscale({
        init() {
          throw new RangeError("Cannot do it: no reason");
        },
      }),
    /^Cannot see that upscale "acme\/shuffle" makes weights for its smallest use: Cannot do it: no reason$/,
  ],
  "an option without default": [
    () => upscale({ options: z.object({ gain: z.number() }) }),
    /^Cannot see that upscale "acme\/shuffle" has defaults for all options: Cannot use upscale "acme\/shuffle": expected valid options but received {} \(gain: .+\)$/,
  ],
  "a fusion that forgets": [
    () => ({ name: "acme", convs: [{ ...pointwise, fuse: (params: never) => params }] }),
    /^Cannot see that conv "acme\/pointwise" \(fused\) gives the same when fused: expected the fused output to be .+ at 0 but received .+$/,
  ],
  "a loss that is not a scalar": [
    () => ({
      name: "acme",
      losses: [{ ...l2, student: ({ scales }: never) => (scales as never[])[0]!["studentImage"] }],
    }),
    /^Cannot see that loss "acme\/l2" gives the shape that its kind asks for: expected shape \[\] but received \[2,4,4,3\]$/,
  ],
  "a loss that is no mean over images": [
    () => ({
      name: "acme",
      losses: [{
        ...l2,
        perImage: true,
        student: ({ scales }: LossStep) => tf.sum(scales.at(-1)!.studentImage) as tf.Scalar,
      }],
    }),
    /^Cannot see that loss "acme\/l2" is the mean over images that it says: expected the mean over single images to be .+ at 0 but received .+$/,
  ],
  "features without needs": [
    () => ({
      name: "acme",
      losses: [{
        ...l2,
        student: ({ scales, features }: LossStep) =>
          tf.mean(features(scales.at(-1)!.studentImage)[0]!),
      }],
    }),
    /^Cannot see that loss "acme\/l2" is finite: .*Cannot call features\(\) in loss "acme\/l2": expected "needs" to hold \{ features: true \} but received none$/,
  ],
  "a discriminator's term that looks at styles": [
    () => ({
      name: "acme",
      losses: [{
        ...l2,
        needs: { discriminator: true },
        discriminator: ({ scales, w, discriminate }: LossStep) =>
          tf.mul(tf.mean(w), tf.mean(discriminate(scales.at(-1)!.teacherImage))) as tf.Scalar,
      }],
    }),
    /^Cannot see that loss "acme\/l2" \(discriminator\) is finite: .*Cannot use w in the discriminator's term of a loss$/,
  ],
  "a loss without gradient": [
    () => ({ name: "acme", losses: [{ ...l2, student: () => tf.scalar(1) }] }),
    /^Cannot see that loss "acme\/l2" has gradients that equal differences: expected a gradient but received 0, so that nothing would train$/,
  ],
};

for (const [fault, [plugin, message]] of Object.entries(faults)) {
  Deno.test(`testPlugin() finds ${fault}`, async () => {
    const error = await testPlugin(plugin(), { engines }).then(() => undefined, (error) => error);
    for (const tensor of kept.splice(0)) tensor.dispose();
    assert.ok(error instanceof AggregateError, `${error}`);
    const messages = error.errors.map(({ message }: Error) => message);
    assert.ok(messages.some((text) => message.test(text)), messages.join("\n"));
    assert.match(error.message, /^Cannot accept plugin "acme": expected \d+ checks to pass but /);
  });
}
