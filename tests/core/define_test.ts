import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import {
  defineConv,
  defineDemodulation,
  defineHead,
  defineLoss,
  defineMetric,
  definePlugin,
  defineUpscale,
} from "../../core/define.ts";

const described = { summary: "s", source: "s", options: z.object({}) } as const;

Deno.test("define functions add the kind and nothing else", () => {
  const part = { ...described, name: "acme/part" as const };
  const init = () => ({});
  const compute = () => Promise.resolve({});
  const made = [
    defineUpscale({ ...part, init, outChannels: (c) => c, apply: (_, { x }) => x }),
    defineConv({ ...part, init, apply: (_, { x }) => x }),
    defineDemodulation({ ...part, init, apply: (_, { modulation }) => modulation }),
    defineHead({ ...part, init, usesPrevious: false, apply: (_, { x }) => x }),
    defineLoss({ ...part, student: () => tf.scalar(0) }),
    defineMetric({ ...part, compute }),
  ];
  assert.deepEqual(made.map(({ kind }) => kind), [
    "upscale",
    "conv",
    "demodulation",
    "head",
    "loss",
    "metric",
  ]);
  const { kind: _, ...rest } = made[5]!;
  assert.deepEqual(rest, { ...part, compute });
});

Deno.test("definePlugin() gives its argument", () => {
  const plugin = { name: "acme" } as const;
  assert.equal(definePlugin(plugin), plugin);
});

/** Never called: what the compiler must infer, accept and refuse. */
export function types(): void {
  const part = defineUpscale({
    ...described,
    name: "acme/part",
    options: z.object({ gain: z.number().default(1) }),
    buffers: ["mean"],
    outChannels: (channels, { gain }) => channels * gain,
    init: ({ channels }, random) => ({
      weight: random.normal([1, 1, channels, 4 * channels]),
      mean: random.normal([channels]),
    }),
    apply({ weight, mean }, { x, style }, { gain }) {
      const styles: tf.Tensor2D = style;
      const strength: number = gain;
      const centred = tf.mul(tf.sub(x, mean), strength) as tf.Tensor4D;
      void styles;
      return tf.depthToSpace(tf.conv2d(centred, weight, 1, "same"), 2); // of any rank: no cast
    },
  });
  const name: "acme/part" = part.name;
  const weights: "weight" | "mean" = "weight" as keyof ReturnType<typeof part.init>;

  defineUpscale({
    ...described,
    name: "acme/part",
    outChannels: (channels) => channels,
    init: (_, random) => ({ weight: random.normal([1]) }),
    // @ts-expect-error init() makes no weight of that name
    apply: ({ wight }, { x }) => tf.mul(x, wight),
  });
  defineUpscale({
    ...described,
    name: "acme/part",
    outChannels: (channels) => channels,
    init: () => ({}),
    // @ts-expect-error the output is an image, not a number per image
    apply: (_, { x }) => tf.mean(x, [1, 2, 3]) as tf.Tensor1D,
  });
  defineLoss({
    ...described,
    name: "acme/loss",
    // @ts-expect-error the schema has no such option
    student: (_, { epsilon }) => tf.scalar(epsilon),
  });
  defineLoss({
    ...described,
    name: "acme/loss",
    // @ts-expect-error a step has no such field
    student: ({ images }) => tf.mean(images),
  });
  // @ts-expect-error a part says where it comes from
  defineMetric({ name: "acme/metric", summary: "s", options: z.object({}), compute: () => 0 });
  void [name, weights];
}
