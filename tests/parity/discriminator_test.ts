import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params } from "../../core/contracts.ts";
import { under } from "../../core/params.ts";
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
