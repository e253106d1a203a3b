import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import type { HostArray, Params } from "../../core/contracts.ts";
import { under } from "../../core/params.ts";
import { leakyRelu } from "../../layers/activation.ts";
import { equalisedConv } from "../../layers/conv2d.ts";
import { blurForStride2, downsample } from "../../layers/fir.ts";
import { linear } from "../../layers/linear.ts";
import { minibatchStddev } from "../../layers/minibatch_stddev.ts";
import { discriminator, discriminatorFeatures } from "../../networks/discriminator.ts";
import { nvlabsDiscriminatorEntries } from "../../pipelines/convert/nvlabs.ts";
import { discriminatorEntries } from "../../pipelines/convert/rosinality.ts";
import { assertClose, golden, nhwc, reshaped } from "../golden.ts";
import {
  first,
  goldenGradient,
  gradients,
  gradientTolerance,
  logitTolerance,
  parityTest,
  teacherOf,
} from "./reference.ts";

interface Inputs {
  readonly params: Params;
  readonly x: tf.Tensor4D;
}

const sources = [
  {
    prefix: "rosinality",
    file: "rosinality.pt",
    blocks: ["convs.1", "convs.2", "convs.3"],
    entries: discriminatorEntries,
    slopes: [
      "convs.0.0.weight",
      "convs.1.conv2.1.weight",
      "convs.1.skip.1.weight",
      "final_conv.0.weight",
      "final_linear.1.weight",
    ],
  },
  {
    prefix: "ada",
    file: "ada.pkl",
    blocks: ["b32", "b16", "b8"],
    entries: nvlabsDiscriminatorEntries,
    slopes: [
      "b32.fromrgb.weight",
      "b32.conv1.weight",
      "b32.skip.weight",
      "b4.conv.weight",
      "b4.out.weight",
    ],
  },
] as const;

const joined = (a: HostArray, b: HostArray): HostArray => ({
  shape: [a.shape[0]! + b.shape[0]!, ...a.shape.slice(1)],
  data: Float32Array.of(...a.data, ...b.data),
});

for (const { prefix, file, blocks, entries, slopes } of sources) {
  const { weights, discriminator: critic } = await teacherOf(file);
  const config = critic!;
  const params = under(weights, "discriminator");
  const images = nhwc(golden(`${prefix}/d_images`));
  const logits = ({ params, x }: Inputs) => discriminator(params, x, config);
  const penalty = ({ params, x }: Inputs) => {
    const slope = tf.grad((x) => tf.sum(discriminator(params, x as tf.Tensor4D, config)))(x);
    return tf.div(tf.sum(tf.square(slope)), x.shape[0]!) as tf.Scalar;
  };

  parityTest(`logits of ${file}, also of other batches`, async (run) => {
    const extra = nhwc(golden(`${prefix}/d_images_extra`));
    const batches: [HostArray, string][] = [
      [images, "d_logits"],
      [joined(images, extra), "d_logits8"], // two groups, interleaved
      [first(images, 2), "d_logits2"],
    ];
    for (const [x, name] of batches) {
      const actual = await run(logits, { params, x });
      assertClose(actual, golden(`${prefix}/${name}`), logitTolerance);
    }
  });

  parityTest(`features of the blocks of ${file}`, async (run) => {
    const features = ({ params, x }: Inputs) => discriminatorFeatures(params, x, config);
    const maps = await run(features, { params, x: images }) as readonly HostArray[];
    blocks.forEach((block, i) =>
      assertClose(first(maps[i]!, 1), nhwc(golden(`${prefix}/d_act/${block}`)))
    );
  });

  parityTest(`R1 of ${file} and its gradients`, async (run) => {
    const slope = ({ params, x }: Inputs) =>
      tf.grad((x) => tf.sum(discriminator(params, x as tf.Tensor4D, config)))(x);
    assertClose(
      first(await run(slope, { params, x: images }), 2),
      nhwc(golden(`${prefix}/r1_image_grad`)),
      gradientTolerance,
    );
    const value = await run(penalty, { params, x: images });
    assertClose(reshaped(value, [1]), golden(`${prefix}/r1_penalty`), gradientTolerance);

    const wanted = entries(config.channels)
      .filter(({ from }) => (slopes as readonly string[]).includes(from))
      .map((entry) => goldenGradient(`${prefix}/r1_grad`, entry));
    const names = wanted.map(({ name }) => name.slice("discriminator.".length));
    const actual = await run(
      ({ params, x }: Inputs) => gradients((params) => penalty({ params, x }), params, names),
      { params, x: images },
    );
    wanted.forEach(({ gradient }, i) =>
      assertClose(actual[names[i]!]!, gradient, gradientTolerance)
    );
  });
}

/** The layers of the discriminator, its skips clamped too if so wanted. */
function clamped(
  params: Params,
  x: tf.Tensor4D,
  { clamp, skips }: { readonly clamp: number; readonly skips: boolean },
): tf.Tensor {
  const [gain, half] = [Math.SQRT2, Math.SQRT1_2];
  let y = equalisedConv(under(params, "32.rgb"), x, { gain, clamp });
  for (const block of ["32", "16", "8"].map((size) => under(params, size))) {
    const inner = equalisedConv(under(block, "conv0"), y, { gain, clamp });
    const limit = clamp * half;
    y = tf.add(
      equalisedConv(under(block, "conv1"), blurForStride2(inner), {
        gain: 1,
        stride: 2,
        clamp: limit,
      }),
      equalisedConv(under(block, "skip"), downsample(y), {
        gain: half,
        clamp: skips ? limit : undefined,
      }),
    );
  }
  const last = under(params, "4");
  const z = equalisedConv(under(last, "conv"), minibatchStddev(y, 4), { gain, clamp });
  const flat = tf.reshape(z, [z.shape[0], -1]) as tf.Tensor2D;
  return linear(under(last, "out"), leakyRelu(linear(under(last, "fc"), flat, { gain })));
}

// The file clamps all convolutions but the skips, the golden numbers those too.
parityTest("NVlabs' logits with features clamped so low that it shows", async (run) => {
  const { weights, discriminator: critic } = await teacherOf("ada.pkl");
  assert.equal(critic!.convClamp, 256);
  const config = { ...critic!, convClamp: 0.5 };
  const inputs = { params: under(weights, "discriminator"), x: nhwc(golden("ada/d_images")) };
  const logits = await run(({ params, x }: Inputs) => ({
    everywhere: clamped(params, x, { clamp: 0.5, skips: true }),
    branches: clamped(params, x, { clamp: 0.5, skips: false }),
    ours: discriminator(params, x, config),
  }), inputs);
  assertClose(logits.everywhere, golden("ada/clamp0.5/d_logits"), logitTolerance);
  assertClose(logits.ours, logits.branches, logitTolerance);
});
