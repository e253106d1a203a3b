import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params, PartSource, Weights } from "../core/contracts.ts";
import { expectOutput } from "../core/expect_output.ts";
import { prefixed, under, weightOf } from "../core/params.ts";
import { createRandom } from "../core/random.ts";
import { haar } from "../layers/haar.ts";
import { noiseShapes, type StudentConfig, studentLastPx, studentStyleCount } from "./config.ts";
import { bindDemodulation, planStudent } from "./student_plan.ts";
import { stylesOf } from "./styles.ts";
import type { SynthesisInputs } from "./synthesis.ts";

/**
 * Initial weights of the student: `4.const`, `4.conv1.modulated.*`, `4.head.{part}.*`, then
 * `{r}.upscale.{part}.*`, `{r}.conv1.{part}.*`, `{r}.conv1.{demodulation}.*`, `{r}.conv2...`,
 * `{r}.head.{part}.*` for r = 8, 16, ..., `sizePx` / 2.
 *
 * Every part draws from a stream of its own name: exchanging one leaves the other weights as they
 * are.
 *
 * @throws {RangeError} If the configuration, a part's name or its options are not valid.
 */
export function initMobileSynthesis(
  config: StudentConfig,
  seed: number,
  parts: PartSource,
): Weights {
  const { places } = planStudent(config, parts);
  const weights: Record<string, HostArray> = {
    "4.const": createRandom(seed, "synthesis.4.const").normal([1, 4, 4, config.channels[0]!]),
  };
  for (const { prefix, init } of places) {
    Object.assign(weights, prefixed(init(createRandom(seed, `synthesis.${prefix}`)), prefix));
  }
  return weights;
}

/** Names of the student's weights that are saved but not trained, and count as no parameters. */
export function mobileSynthesisBuffers(config: StudentConfig, parts: PartSource): string[] {
  return planStudent(config, parts).places.flatMap(({ prefix, buffers }) =>
    buffers.map((name) => `${prefix}.${name}`)
  );
}

/**
 * MobileStyleGAN's generator: styles and noise to the wavelet bands of an image, scale by scale.
 *
 * - Shapes: `w` `[N,D]`, or W+ `[N,L,D]` with L = 3 log2(size) - 8 (the author's files have one row
 *   more, which nothing reads); noise as `noiseShapes` lists it, of which longer lists (the
 *   teacher's) are welcome. Gives bands `[N,r,r,12]` for r = 4, 8, ..., size / 2, coarsest first;
 *   with `auxiliary: false` the last only, unless heads build on the scale below.
 * - In the pixel domain the bands are the Haar transform of what the heads predict; the engine removes
 *   it where its inverse follows.
 * - The inverse Haar transform of the last bands is the image, in about [-1, 1].
 * - Source: MobileStyleGAN, arXiv:2104.04767, figure 3; rows of W+ as in the author's code.
 *
 * @throws {RangeError} If W+ or the noise has another number of rows or maps.
 */
export function mobileSynthesis(
  params: Params,
  { w, noise }: SynthesisInputs,
  config: StudentConfig,
  parts: PartSource,
): tf.Tensor4D[] {
  const plan = planStudent(config, parts);
  const count = studentStyleCount(2 * studentLastPx(config));
  const styles = stylesOf(w, [count, count + 1]);
  const noiseOf = noiseReader(noise, config);

  const bands: tf.Tensor4D[] = [];
  let x = weightOf(params, "4.const") as tf.Tensor4D; // [1,4,4,C]: the first style makes it [N,4,4,C]
  plan.stages.forEach(({ upscale, convs, head }, i) => {
    // Rows of W+: 0 and 1 for convolution and head at 4 px; then, with b = i - 1, row 3b + 1 for
    // upsampling and first convolution (a row that two stages share), 3b + 2 and 3b + 3 for the rest.
    const row = i === 0 ? 0 : 3 * i - 2;
    if (upscale) {
      const { part, options } = plan.upscale;
      const [, h, w, channels] = x.shape;
      const doubled = part.apply(under(params, upscale), { x, style: styles[row]! }, options);
      const shape = ["N", 2 * h, 2 * w, part.outChannels(channels, options)];
      x = expectOutput(doubled, shape, part);
    }
    convs.forEach(({ conv, prefix, demodulationPrefix }, k) => {
      const demodulation = demodulationPrefix
        ? bindDemodulation(params, plan.demodulation, demodulationPrefix)
        : undefined;
      const noise = noiseOf(i === 0 ? 0 : 2 * i - 1 + k);
      const inputs = { x, style: styles[row + k]!, noise, demodulation };
      const [, h, w] = x.shape;
      const made = conv.part.apply(under(params, prefix), inputs, conv.options);
      x = expectOutput(made, ["N", h, w, "C"], conv.part);
    });
    if (head) {
      const { part, options } = plan.head;
      const previous = part.usesPrevious ? bands.at(-1) : undefined;
      const inputs = { x, style: styles[row + convs.length]!, previous };
      const made = part.apply(under(params, head), inputs, options);
      const [, h, w] = x.shape;
      const predicted = expectOutput(made, ["N", h, w, config.domain === "pixel" ? 3 : 12], part);
      bands.push(config.domain === "pixel" ? haar(predicted) : predicted);
    }
  });
  return bands;
}

/** Looks up the noise map of a layer; zeros if no noise is wanted. */
function noiseReader(
  noise: readonly tf.Tensor4D[] | undefined,
  config: StudentConfig,
): (layer: number) => tf.Tensor4D {
  const shapes = noiseShapes(studentLastPx(config));
  if (!noise) return (layer) => tf.zeros(shapes[layer]!);
  if (noise.length < shapes.length) {
    throw new RangeError(
      `Cannot run the student: expected at least ${shapes.length} noise maps but received ${noise.length}`,
    );
  }
  return (layer) => noise[layer]!;
}
