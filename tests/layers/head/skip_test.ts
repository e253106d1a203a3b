import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../../core/random.ts";
import { lift } from "../../../core/flat.ts";
import { inverseHaar } from "../../../layers/haar.ts";
import { singleHead } from "../../../layers/head/single.ts";
import { skipHead } from "../../../layers/head/skip.ts";
import { assertClose, tensor, tidy } from "../../golden.ts";

const dims = { channels: 5, styleDim: 3 };
const random = createRandom(1, "test");
const weights = skipHead.init(dims, random, { gain: 1 });
const x = random.normal([2, 8, 8, 5]);
const style = random.normal([2, 3]);

Deno.test("skipHead without a scale below is singleHead", () =>
  tidy(() => {
    const params = lift(weights) as never;
    const inputs = { x: tensor<tf.Rank.R4>(x), style: tensor<tf.Rank.R2>(style) };
    const bands = skipHead.apply(params, inputs, { gain: 1 });
    const alone = singleHead.apply(params, inputs, { gain: 1 });
    assertClose(bands, { shape: [2, 8, 8, 12], data: alone.dataSync<"float32">() }, 0);
  }));

Deno.test("skipHead with bands of 0 doubles the image below", () =>
  tidy(() => {
    const below = tensor<tf.Rank.R4>(random.normal([2, 4, 4, 12]));
    const params = { ...lift(weights), weight: tf.zeros([1, 1, 5, 12]) } as never;
    const inputs = {
      x: tensor<tf.Rank.R4>(x),
      style: tensor<tf.Rank.R2>(style),
      previous: below,
    };
    const image = inverseHaar(skipHead.apply(params, inputs, { gain: 1 })); // [2,16,16,3]
    const average = tf.avgPool(image, 2, 2, "valid");
    assertClose(average, {
      shape: [2, 8, 8, 3],
      data: inverseHaar(below).dataSync<"float32">(),
    }, 1e-6);
  }));
