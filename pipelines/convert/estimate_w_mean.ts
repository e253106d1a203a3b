import * as tf from "@tensorflow/tfjs";
import type { HostArray, Weights } from "../../core/contracts.ts";
import { createRandom } from "../../core/random.ts";
import type { Engine } from "../../engine/mod.ts";
import { mapping, type MappingConfig } from "../../networks/mapping.ts";

const latents = 10_000; // as StyleGAN2's projector
const batch = 500;

interface Inputs {
  readonly params: Readonly<Record<string, tf.Tensor>>;
  readonly z: tf.Tensor2D;
}

/**
 * Estimates the average style, towards which truncation moves: the mean of 10,000 styles.
 *
 * @param weights The mapping network's: `0.weight`, `0.bias`, ...
 * @returns `[D]`; the same numbers for the same seed, up to the engine's rounding
 */
export async function estimateWMean(
  weights: Weights,
  config: MappingConfig,
  { engine, seed }: { readonly engine: Engine; readonly seed: number },
): Promise<HostArray> {
  const meanOf = engine.compile(
    ({ params, z }: Inputs) => tf.mean(mapping(params, z, config), 0),
    { name: "estimate the average style" },
  );
  const sum = new Float64Array(config.styleDim);
  for (let i = 0; i < latents / batch; i++) {
    const z = createRandom(seed, "w_mean", i).normal([batch, config.styleDim]);
    const { data } = await meanOf({ params: weights, z });
    data.forEach((value, k) => sum[k]! += value);
  }
  await meanOf.dispose();
  return {
    shape: [config.styleDim],
    data: Float32Array.from(sum, (v) => v * batch / latents),
  };
}
