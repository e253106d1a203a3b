import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params, Weights } from "../core/contracts.ts";
import { prefixed, under, weightOf } from "../core/params.ts";
import { createRandom } from "../core/random.ts";
import { upsampleSkip } from "../layers/fir.ts";
import {
  initModulatedConv,
  initModulatedRgb,
  modulatedConv,
  modulatedRgb,
} from "../layers/modulated_conv.ts";
import { checkTeacherConfig, sizesTo, type TeacherConfig, teacherStyleCount } from "./config.ts";
import { stylesOf } from "./styles.ts";

/** What a synthesis network is given. */
export interface SynthesisInputs {
  /** `[N,D]`, or `[N,L,D]` with L = 2 log2(size) - 2: one row per convolution and RGB layer. */
  readonly w: tf.Tensor;
  /** Maps `[1 or N,r,r,1]` in the order of `noiseShapes`; absent: no noise is added. */
  readonly noise?: readonly tf.Tensor4D[] | undefined;
}

/**
 * Initial weights of the teacher's synthesis network: `4.const`, `4.conv1.*`, `4.rgb.*`, then
 * `{r}.conv0.*`, `{r}.conv1.*`, `{r}.rgb.*` for r = 8, 16, ..., `sizePx`.
 *
 * @throws {RangeError} If the configuration is not valid.
 */
export function initSynthesis(config: TeacherConfig, seed: number): Weights {
  checkTeacherConfig(config);
  const { styleDim, sizePx } = config;
  const weights: Record<string, HostArray> = {};
  const add = (name: string, init: (random: ReturnType<typeof createRandom>) => Weights) =>
    Object.assign(weights, prefixed(init(createRandom(seed, `synthesis.${name}`)), name));
  sizesTo(sizePx).forEach((size, i) => {
    const channels = config.channels[i]!;
    if (size === 4) {
      const random = createRandom(seed, "synthesis.4.const");
      weights["4.const"] = random.normal([1, 4, 4, channels]);
    } else {
      const dims = { inChannels: config.channels[i - 1]!, outChannels: channels, styleDim };
      add(`${size}.conv0`, (random) => initModulatedConv(dims, random));
    }
    const dims = { inChannels: channels, outChannels: channels, styleDim };
    add(`${size}.conv1`, (random) => initModulatedConv(dims, random));
    add(`${size}.rgb`, (random) => initModulatedRgb({ channels, styleDim }, random));
  });
  return weights;
}

/** The image after every size, coarsest first: `[N,4,4,3]`, `[N,8,8,3]`, ..., `[N,S,S,3]`. */
export function synthesisImages(
  params: Params,
  { w, noise }: SynthesisInputs,
  config: TeacherConfig,
): tf.Tensor4D[] {
  const styles = stylesOf(w, [teacherStyleCount(config.sizePx)]);
  const sizes = sizesTo(config.sizePx);
  const clamp = config.convClamp;
  checkNoise(noise, 2 * sizes.length - 1);
  const images: tf.Tensor4D[] = [];
  let x = weightOf(params, "4.const"); // [1,4,4,C]: the first style makes it [N,4,4,C]
  let image: tf.Tensor4D | undefined;
  sizes.forEach((size, i) => {
    // Layer of W+ (and of noise): conv1 of size i is 2i, its conv0 2i - 1; RGB reads the next one.
    const layer = 2 * i;
    const block = under(params, `${size}`);
    const conv = (name: string, index: number, up: boolean) =>
      modulatedConv(
        under(block, name),
        { x, style: styles[index]!, noise: noise?.[index] },
        { up, clamp },
      );
    if (size > 4) x = conv("conv0", layer - 1, true);
    x = conv("conv1", layer, false);
    const rgb = modulatedRgb(under(block, "rgb"), { x, style: styles[layer + 1]! }, { clamp });
    image = image ? tf.add(rgb, upsampleSkip(image)) : rgb;
    images.push(image);
  });
  return images;
}

/**
 * StyleGAN2's generator with RGB skips: styles and noise to an image.
 *
 * - Shapes: `w` `[N,D]` or `[N,L,D]`, noise as `noiseShapes` lists it; gives `[N,S,S,3]`.
 * - Units: an image in about [-1, 1], not clamped.
 * - Source: Karras et al., CVPR 2020, figure 7b.
 *
 * @throws {RangeError} If W+ or the noise has another number of rows or maps.
 */
export function synthesis(
  params: Params,
  inputs: SynthesisInputs,
  config: TeacherConfig,
): tf.Tensor4D {
  return synthesisImages(params, inputs, config).at(-1)!;
}

function checkNoise(noise: readonly tf.Tensor4D[] | undefined, count: number): void {
  if (noise && noise.length !== count) {
    throw new RangeError(
      `Cannot run the teacher: expected ${count} noise maps but received ${noise.length}`,
    );
  }
}
