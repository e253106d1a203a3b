import type * as tf from "@tensorflow/tfjs";
import type { HostArray, Params, Weights } from "../../core/contracts.ts";
import { createRandom, type GraphRandom } from "../../core/random.ts";

/** The smallest valid use of a part, as a pure function of weights and inputs. */
export interface Case {
  /** What differs from the part's other cases: `noise per image`. Empty for an only one. */
  readonly title: string;
  readonly weights: Weights;
  /** Names of the weights that training changes. */
  readonly trained: readonly string[];
  readonly inputs: Weights;
  /** Computes more inputs, once: constants of a loss. */
  prepare?(): Promise<Weights>;
  /** Names of the inputs through which gradients must flow. */
  readonly through: readonly string[];
  /** Names of the inputs with one entry per image; empty if images may depend on each other. */
  readonly perImage: readonly string[];
  /** Of an output that is a mean over images: names of the inputs with one entry per image. */
  readonly meanOver?: readonly string[];
  /** Shapes that the output may have for two images. */
  readonly shapes: readonly (readonly number[])[];
  /** Whether every trained weight must have a gradient; else one of them is enough. */
  readonly everyWeight: boolean;
  /** A case that must give the same output. */
  readonly sameAs?: Case;
  apply(params: Params, inputs: Params, random: GraphRandom): tf.Tensor;
}

/** Sizes of the smallest use. Channels differ, so that none can be taken for another. */
export const dims = { images: 2, sizePx: 4, channels: 8, outChannels: 12, styleDim: 6 } as const;

/** Normal numbers that depend on the name only. */
export function normal(name: string, shape: readonly number[]): HostArray {
  return createRandom(1, `conformance ${name}`).normal(shape);
}

/** Trained weights moved away from where they start: a weight of 0 can hide another's gradient. */
export function moved(weights: Weights, trained: readonly string[]): Weights {
  return Object.fromEntries(
    Object.entries(weights).map(([name, array]) => {
      if (!trained.includes(name)) return [name, array];
      const offsets = createRandom(2, `conformance ${name}`).normal(array.shape, 0.2).data;
      return [name, { shape: array.shape, data: array.data.map((x, i) => x + offsets[i]!) }];
    }),
  );
}
