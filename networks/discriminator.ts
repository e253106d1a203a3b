import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params, Weights } from "../core/contracts.ts";
import { prefixed, under } from "../core/params.ts";
import { createRandom, type Random } from "../core/random.ts";
import { leakyRelu } from "../layers/activation.ts";
import { equalisedConv, initEqualisedConv } from "../layers/conv2d.ts";
import { blurForStride2, downsample } from "../layers/fir.ts";
import { initLinear, linear } from "../layers/linear.ts";
import { minibatchStddev } from "../layers/minibatch_stddev.ts";
import { checkDiscriminatorConfig, type DiscriminatorConfig, sizesTo } from "./config.ts";

/**
 * Initial weights of the discriminator: `{S}.rgb.*`, then `{r}.conv0.*`, `{r}.conv1.*`,
 * `{r}.skip.weight` for r = S, S/2, ..., 8, then `4.conv.*`, `4.fc.*`, `4.out.*`.
 *
 * @throws {RangeError} If the configuration is not valid.
 */
export function initDiscriminator(config: DiscriminatorConfig, seed: number): Weights {
  checkDiscriminatorConfig(config);
  const { sizePx, channels } = config;
  const weights: Record<string, HostArray> = {};
  const add = (name: string, init: (random: Random) => Weights) =>
    Object.assign(weights, prefixed(init(createRandom(seed, `discriminator.${name}`)), name));
  const conv = (name: string, size: 1 | 3, inChannels: number, outChannels: number, bias = true) =>
    add(name, (random) => initEqualisedConv({ size, inChannels, outChannels, bias }, random));

  conv(`${sizePx}.rgb`, 1, 3, channels.at(-1)!);
  sizesTo(sizePx).slice(1).map((size, i) => ({ size, i: i + 1 })).reverse().forEach(
    ({ size, i }) => {
      const [from, to] = [channels[i]!, channels[i - 1]!];
      conv(`${size}.conv0`, 3, from, from);
      conv(`${size}.conv1`, 3, from, to);
      conv(`${size}.skip`, 1, from, to, false);
    },
  );
  const last = channels[0]!;
  conv("4.conv", 3, last + 1, last);
  add("4.fc", (random) => initLinear({ inputs: 16 * last, outputs: last }, random));
  add("4.out", (random) => initLinear({ inputs: last, outputs: 1 }, random));
  return weights;
}

/**
 * The output of every residual block, finest first: `[N,S/2,S/2,C]`, ..., `[N,4,4,C]`.
 *
 * Each is (conv branch + skip) / sqrt(2), the factor being folded into both branches. `convClamp`
 * limits every convolution but the skip, as in NVlabs' files.
 */
export function discriminatorFeatures(
  params: Params,
  image: tf.Tensor4D,
  { sizePx, convClamp: clamp }: DiscriminatorConfig,
): tf.Tensor4D[] {
  const gain = Math.SQRT2;
  const features: tf.Tensor4D[] = [];
  const halved = clamp === undefined ? undefined : clamp * Math.SQRT1_2; // as the branch is
  let x = equalisedConv(under(params, `${sizePx}.rgb`), image, { gain, clamp });
  for (let size = sizePx; size > 4; size /= 2) {
    const block = under(params, `${size}`);
    const skip = equalisedConv(under(block, "skip"), downsample(x), { gain: Math.SQRT1_2 });
    const inner = blurForStride2(equalisedConv(under(block, "conv0"), x, { gain, clamp }));
    const branch = { gain: 1, stride: 2, clamp: halved } as const;
    x = tf.add(equalisedConv(under(block, "conv1"), inner, branch), skip);
    features.push(x);
  }
  return features;
}

/**
 * StyleGAN2's residual discriminator.
 *
 * - Shapes: `image` `[N,S,S,3]` in [-1, 1] gives logits `[N,1]`.
 * - The 4x4 features are flattened in NHWC order.
 * - Source: Karras et al., CVPR 2020, figure 7c; minibatch deviation of Karras et al., ICLR 2018.
 *
 * @throws {RangeError} If the batch is not a multiple of the group of the minibatch deviation.
 */
export function discriminator(
  params: Params,
  image: tf.Tensor4D,
  config: DiscriminatorConfig,
): tf.Tensor2D {
  const gain = Math.SQRT2;
  const [, height, width, channels] = image.shape;
  if (height !== config.sizePx || width !== config.sizePx || channels !== 3) {
    throw new RangeError(
      `Cannot run the discriminator: expected an image of shape [N,${config.sizePx},${config.sizePx},3] but received [${image.shape}]`,
    );
  }
  const x = discriminatorFeatures(params, image, config).at(-1)!;
  const last = under(params, "4");
  const clamp = config.convClamp;
  const grouped = minibatchStddev(x, config.stddevGroup);
  const y = equalisedConv(under(last, "conv"), grouped, { gain, clamp });
  const flat = tf.reshape(y, [image.shape[0], -1]) as tf.Tensor2D;
  const hidden = leakyRelu(linear(under(last, "fc"), flat, { gain }));
  return linear(under(last, "out"), hidden);
}
