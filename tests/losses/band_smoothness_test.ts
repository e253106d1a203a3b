import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { registerMissingGradients } from "../../engine/gradients.ts";
import { inverseHaar } from "../../layers/haar.ts";
import { bandSmoothnessLoss } from "../../losses/band_smoothness.ts";
import { noiseShapes, type StudentConfig } from "../../networks/config.ts";
import { initMobileSynthesis, mobileSynthesis } from "../../networks/mobile_synthesis.ts";
import { createRegistry } from "../../registry.ts";
import { assertGradient, jittered, normal, numbers } from "../tensors.ts";
import { fixedRandom, scaleOf, stepOf } from "./step.ts";

registerMissingGradients();

const w = normal<tf.Rank.R2>("w", [4, 6]);
const bandNames = ["ll", "lh", "hl", "hh"] as const;
const even = { ll: 1, lh: 1, hl: 1, hh: 1 };
const none = { ll: 0, lh: 0, hl: 0, hh: 0 };
const channelsOfBand = { ll: [0, 1, 2], lh: [3, 6, 9], hl: [4, 7, 10], hh: [5, 8, 11] };

/** A student whose band `name` is `scale f(|w|)`-long and whose other bands do not move. */
function oneBand(name: keyof typeof even, scale: number, curved: boolean) {
  const matrix = normal<tf.Rank.R2>("matrix", [6, 12]);
  const mask = tf.tensor1d(
    Array.from({ length: 12 }, (_, i) => channelsOfBand[name].includes(i) ? scale : 0),
  );
  return (w: tf.Tensor) => {
    const x = curved ? tf.square(w) : w;
    const bands = tf.mul(tf.matMul(x as tf.Tensor2D, matrix), mask);
    return inverseHaar(tf.reshape(bands, [4, 1, 1, 12]) as tf.Tensor4D);
  };
}

const image = normal("image", [4, 2, 2, 3]);
const value = (
  run: (w: tf.Tensor) => tf.Tensor4D,
  options: Partial<Parameters<NonNullable<typeof bandSmoothnessLoss.student>>[1]>,
  runTeacher = run,
) => {
  const step = stepOf({
    scales: [scaleOf(image, image)],
    w,
    random: fixedRandom(),
    runStudent: run,
    runTeacher,
  });
  const all = { ...bandSmoothnessLoss.options.parse({}), ...options };
  return numbers(bandSmoothnessLoss.student!(step, all))[0]!;
};

Deno.test("bandSmoothnessLoss sees each band by its own weight", () => {
  for (const name of bandNames) {
    const target = { ll: 1e-3, lh: 1e-3, hl: 1e-3, hh: 1e-3 };
    const own = value(oneBand(name, 1, true), { target, bandWeights: { ...none, [name]: 1 } });
    assert.ok(own > 100, `${name}: ${own}`);
    // The other bands do not move: their relative deviation is -1.
    const others = value(oneBand(name, 1, true), { target, bandWeights: { ...even, [name]: 0 } });
    assert.ok(Math.abs(others - 3) < 1e-2, `${name}: ${others}`);
  }
});

Deno.test("bandSmoothnessLoss does not change with the size of the band", () => {
  const bandWeights = { ...none, hh: 1 };
  const large = value(oneBand("hh", 1, true), { bandWeights });
  const small = value(oneBand("hh", 0.01, true), { bandWeights });
  assert.ok(large > 0.005 && Math.abs(large - small) < 1e-3 * large, `${large} ${small}`);
});

Deno.test("bandSmoothnessLoss of a student as smooth as its teacher is zero", () => {
  const run = oneBand("lh", 1, true);
  const bandWeights = { ...none, lh: 1 };
  assert.ok(value(run, { target: "teacher", bandWeights }) < 1e-9);
  const twice = value(oneBand("lh", 2, true), { target: "teacher", bandWeights }, run);
  assert.ok(Math.abs(twice - 1) < 1e-4, `${twice}`);
});

Deno.test("bandSmoothnessLoss without weights is zero", () => {
  assert.equal(value(oneBand("lh", 1, true), { bandWeights: none }), 0);
});

Deno.test("bandSmoothnessLoss has a gradient in a student's weights", () => {
  const parts = createRegistry();
  const config: StudentConfig = {
    sizePx: 16,
    styleDim: 6,
    mappingLayers: 2,
    channels: [8, 8],
    upscale: { name: "idwt" },
    conv: { name: "separable_modulated" },
    demodulation: { name: "styled" },
    head: { name: "single" },
    auxiliary: false,
  };
  const params = jittered(initMobileSynthesis(config, 1, parts));
  const noise = noiseShapes(8).map((shape, i) => normal(`noise${i}`, shape));
  const run = (params: Record<string, tf.Tensor>) => (w: tf.Tensor) =>
    inverseHaar(mobileSynthesis(params, { w, noise }, config, parts).at(-1)!);
  const picture = run(params)(w);
  const names = Object.keys(params).filter((name) => /^8\..*(depthwise|style\.weight)$/.test(name));
  assert.ok(names.length > 2);
  for (const name of names) {
    assertGradient(
      (weight) => {
        const step = stepOf({
          scales: [scaleOf(picture, picture)],
          w,
          random: fixedRandom(),
          runStudent: run({ ...params, [name]: weight }),
          runTeacher: () => assert.fail("the teacher is not asked for"),
        });
        return bandSmoothnessLoss.student!(step, bandSmoothnessLoss.options.parse({}));
      },
      params[name]!,
      { tolerance: 3e-2 },
    );
  }
});

Deno.test("bandSmoothnessLoss is lazy, and by default looks at the high bands", () => {
  assert.equal(bandSmoothnessLoss.every, 8);
  assert.deepEqual(bandSmoothnessLoss.options.parse({}), {
    target: "batch_mean",
    bandWeights: { ll: 0, lh: 1, hl: 1, hh: 1 },
  });
});
