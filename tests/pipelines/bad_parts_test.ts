/** What a run says of a plugin's part that does not do what its kind asks for. */
import assert from "node:assert/strict";
import { z } from "zod";
import type { AnyLoss, AnyUpscale } from "../../core/contracts.ts";
import { defineLoss, definePlugin, defineUpscale } from "../../core/define.ts";
import { createEngine } from "../../engine/mod.ts";
import { tf } from "../../mod.ts";
import { distill } from "../../pipelines/distill.ts";
import { createRegistry } from "../../registry.ts";
import { tinyDistill, tinyTeacher } from "./tiny.ts";

const engine = await createEngine({ threads: 1 });
Deno.test.afterAll(() => engine.dispose());

const described = { summary: "s", source: "t", options: z.object({}) };

/** A loss `acme/bad`; a mistake of an author whom no type stopped. */
const loss = (student: (image: tf.Tensor4D) => unknown) =>
  defineLoss({
    ...described,
    name: "acme/bad",
    student: ({ scales }) => student(scales.at(-1)!.studentImage) as tf.Scalar,
  });

/** An upsampling `acme/bad`. */
const upscale = (apply: (x: tf.Tensor4D) => tf.Tensor4D) =>
  defineUpscale({
    ...described,
    name: "acme/bad",
    outChannels: (channels) => channels,
    init: () => ({}),
    apply: (_, { x }) => apply(x),
  });
const twice = (x: tf.Tensor4D) =>
  tf.image.resizeNearestNeighbor(x, [2 * x.shape[1], 2 * x.shape[2]]);

const mean = (image: tf.Tensor4D) => tf.mean(image);

const mistakes: Readonly<Record<string, readonly [AnyLoss | AnyUpscale, string | RegExp]>> = {
  "a loss that is no scalar": [
    loss((image) => image),
    'Cannot use loss "acme/bad": expected a tensor of shape [] but received shape [8,16,16,3]',
  ],
  "a loss that is nothing": [
    loss(() => undefined),
    'Cannot use loss "acme/bad": expected a tensor of shape [] but received undefined',
  ],
  "a loss that calls features without its needs": [
    defineLoss({
      ...described,
      name: "acme/bad",
      student: ({ scales, features }) => tf.mean(features(scales.at(-1)!.studentImage)[0]!),
    }),
    'Cannot call features() in loss "acme/bad": expected "needs" to hold { features: true } but received none',
  ],
  "a loss that calls discriminate with other needs": [
    defineLoss({
      ...described,
      name: "acme/bad",
      needs: { features: true },
      student: ({ scales, discriminate }) => tf.mean(discriminate(scales.at(-1)!.studentImage)),
    }),
    'Cannot call discriminate() in loss "acme/bad": expected "needs" to hold { discriminator: true } but received {"features":true}',
  ],
  "a loss that is not a number": [
    loss((image) => tf.log(tf.sub(mean(image), 100))),
    'Cannot begin with the loss "acme/bad": expected a finite number but received NaN at step 0; if a plugin has a part in it, testPlugin() tells which',
  ],
  "a loss that reads while it is traced": [
    loss((image) => tf.mul(mean(image), tf.square(image).dataSync()[0]!)),
    'Cannot trace "student step (acme/bad)": expected no value to be read but the function reads a result of "Square"; compute with tensors only, or read outside of the compiled function',
  ],
  "a loss with a kernel that has no rule": [
    loss((image) => mean(tf.unique(tf.reshape(image, [-1])).values as tf.Tensor4D)),
    /^Cannot trace "student step \(acme\/bad\)": expected kernels that have a rule but received "Unique" \(the shape of its result depends on the numbers\); known kernels, nearest first, are /,
  ],
  "an upsampling of another shape": [
    upscale((x) => x),
    'Cannot use upscale "acme/bad": expected a tensor of shape [N,8,8,8] but received shape [16,4,4,8]', // the held-out images
  ],
  "an upsampling that is not a number": [
    upscale((x) => tf.log(tf.sub(tf.mul(twice(x), 0), 1))),
    "Cannot go on with the distillation: expected the student's images to be numbers but received NaN at step 0; if a plugin has a part in it, testPlugin() tells which",
  ],
};

for (const [mistake, [part, message]] of Object.entries(mistakes)) {
  Deno.test(`distill() names ${mistake}`, async () => {
    const out = await Deno.makeTempDir({ prefix: "haarlem-bad-" });
    const [plugin, change] = part.kind === "loss"
      ? [{ name: "acme", losses: [part] }, { losses: [{ name: part.name }] }]
      : [{ name: "acme", upscales: [part] }, { student: { upscale: { name: part.name } } }];
    const registry = createRegistry().use(definePlugin(plugin));
    const config = { ...tinyDistill, losses: [{ name: "pixel" }], ...change };
    const run = async () => {
      for await (const _ of distill(config, { engine, registry, teacher: tinyTeacher(), out }));
    };
    try {
      await assert.rejects(run(), { message });
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  });
}
