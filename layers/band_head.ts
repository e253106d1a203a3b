import * as tf from "@tensorflow/tfjs";
import { z } from "zod";
import type { MultiplyAdds, Params, Weights } from "../core/contracts.ts";
import type { Random } from "../core/random.ts";
import { initPlainStyle, modulate, plainStyle, type PlainStyleWeight } from "./plain_style.ts";

/** Names of the weights of the heads `single` and `skip`. */
export type HeadWeight = "weight" | "bias" | PlainStyleWeight;

/** Schema of the options of the heads `single` and `skip`. */
export type HeadOptions = z.ZodObject<{ gain: z.ZodDefault<z.ZodNumber> }>;

/** Options of a head: `gain` multiplies the initial kernel; below 1 the first images are grey. */
export const headOptions: HeadOptions = z.object({ gain: z.number().positive().default(1) });

const BANDS = 12; // LL, LH, HL, HH of three colours

/** Initial weights of a head: kernel ~ N(0,1) `gain`, bias 0, style bias 1. */
export function initHead(
  { channels, styleDim, outputs = BANDS }: {
    readonly channels: number;
    readonly styleDim: number;
    readonly outputs?: number;
  },
  random: Random,
  { gain }: { readonly gain: number },
): Weights<HeadWeight> {
  return {
    weight: random.normal([1, 1, channels, outputs], gain),
    bias: { shape: [outputs], data: new Float32Array(outputs) },
    ...initPlainStyle({ channels, styleDim }, random),
  };
}

/** Modulated 1x1 convolution to bands or colours, without demodulation, and bias. */
export function predictBands(
  params: Params<HeadWeight>,
  { x, style }: { readonly x: tf.Tensor4D; readonly style: tf.Tensor2D },
): tf.Tensor4D {
  const scaled = modulate(x, plainStyle(params, style), 1 / Math.sqrt(x.shape[3]));
  return tf.add(tf.conv2d(scaled, params.weight as tf.Tensor4D, 1, "same"), params.bias);
}

/** Multiply-adds of a head at features of `sizePx`. */
export function headMultiplyAdds(
  { channels, styleDim, sizePx, outputs = BANDS }: {
    readonly channels: number;
    readonly styleDim: number;
    readonly sizePx: number;
    readonly outputs?: number;
  },
): MultiplyAdds {
  return { convolution: outputs * channels * sizePx ** 2, style: styleDim * channels };
}
