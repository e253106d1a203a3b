import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { createRandom, type GraphRandom } from "../../core/random.ts";
import { createEngine } from "../../engine/mod.ts";
import { augment } from "../../layers/augment.ts";
import { assertGradient, assertNear, normal, numbers } from "../tensors.ts";

const none = { flip: 0, move: 0, erase: 0 };
const [images, height, width] = [6, 9, 12] as const;
const x = normal<tf.Rank.R4>("augment", [images, height, width, 2]);

/** Draws of a seed, and those that were made. */
function recorded(seed = 1): { random: GraphRandom; draws: number[][] } {
  const random = createRandom(seed, "test.augment");
  const draws: number[][] = [];
  return {
    draws,
    random: {
      normal: () => assert.fail("nothing normal is drawn"),
      uniform(shape, low, high) {
        const { data } = random.uniform(shape, low, high);
        draws.push([...data]);
        return tf.tensor(data, [...shape]);
      },
    },
  };
}

Deno.test("augment() without any probability draws nothing", () => {
  const { random, draws } = recorded();
  assert.equal(augment(x, random, none), x);
  assert.deepEqual(draws, []);
});

Deno.test("augment() mirrors left and right", () => {
  assertNear(augment(x, recorded().random, { ...none, flip: 1 }), tf.reverse(x, 2));
});

Deno.test("augment() changes as many images as the probability says", () => {
  const many = tf.tile(normal<tf.Rank.R4>("one", [1, 4, 4, 1]), [400, 1, 1, 1]) as tf.Tensor4D;
  const share = (augmentation: typeof none) => {
    const seen = augment(many, recorded().random, augmentation);
    return numbers(tf.mean(tf.step(tf.max(tf.abs(tf.sub(seen, many)), [1, 2, 3]))))[0]!;
  };
  // Three deviations of a binomial of 400; a hole may lie where no pixel's centre is, so fewer.
  for (const part of ["flip", "move"] as const) {
    assert.ok(Math.abs(share({ ...none, [part]: 0.3 }) - 0.3) < 0.07, part);
  }
  const erased = share({ ...none, erase: 0.3 });
  assert.ok(erased > 0.2 && erased < 0.37, `erased ${erased}`);
});

Deno.test("augment() scales and moves by bilinear interpolation, zero outside", () => {
  const { random, draws } = recorded();
  const moved = augment(x, random, { ...none, move: 1 });
  const [, scales, downs, alongs] = draws as [number[], number[], number[], number[]];
  assert.ok([...downs, ...alongs].some((shift) => Math.abs(shift) > 0.5), "something moves");
  const pixels = x.arraySync();
  const at = (n: number, i: number, j: number, c: number) => pixels[n]![i]?.[j]?.[c] ?? 0;
  const expected = pixels.map((image, n) =>
    image.map((row, i) =>
      row.map((pixel, j) => {
        const source = (k: number, size: number, shift: number) =>
          (k - (size - 1) / 2 - shift) / (1 + scales[n]!) + (size - 1) / 2;
        const [y, z] = [source(i, height, downs[n]!), source(j, width, alongs[n]!)];
        const [top, left] = [Math.floor(y), Math.floor(z)];
        return pixel.map((_, c) =>
          (1 - y + top) *
            ((1 - z + left) * at(n, top, left, c) + (z - left) * at(n, top, left + 1, c)) +
          (y - top) *
            ((1 - z + left) * at(n, top + 1, left, c) + (z - left) * at(n, top + 1, left + 1, c))
        );
      })
    )
  );
  assertNear(moved, tf.tensor4d(expected));
});

Deno.test("augment() keeps scales from 0.7 to 1.2 and shifts within their share", () => {
  const { random, draws } = recorded();
  augment(tf.zeros([500, 10, 20, 1]), random, { ...none, move: 1 });
  const [, scales, downs, alongs] = draws as [number[], number[], number[], number[]];
  const within = (values: number[], low: number, high: number) => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const margin = (high - low) / 50;
    assert.ok(least >= low && least < low + margin && most <= high && most > high - margin);
  };
  within(scales, -0.3, 0.2);
  within(downs, -3, 3);
  within(alongs, -2, 2);
});

Deno.test("augment() erases one rectangle of 2 to 33% of the image", () => {
  const size = 64;
  const many = tf.ones<tf.Rank.R4>([100, size, size, 1]);
  const seen = augment(many, recorded().random, { ...none, erase: 1 }).arraySync();
  const edge = (area: number) => (2 * Math.sqrt(area * 3.3) + 1) / size ** 2; // a pixel's rounding
  for (const image of seen) {
    const erased = image.flatMap((row, i) => row.flatMap(([v], j) => v === 0 ? [[i, j]] : []));
    const side = (k: 0 | 1) => {
      const places = erased.map((place) => place[k]!);
      return Math.max(...places) - Math.min(...places) + 1;
    };
    assert.equal(side(0) * side(1), erased.length, "a whole rectangle");
    const share = erased.length / size ** 2;
    const slack = edge(0.33 * size ** 2);
    assert.ok(share > 0.02 - slack && share < 0.33 + slack, `share ${share}`);
  }
});

Deno.test("augment() has the derivative in the images", () => {
  const probe = normal("probe", x.shape);
  const all = { flip: 0.5, move: 1, erase: 1 };
  assertGradient(
    (image) =>
      tf.sum(tf.mul(tf.square(augment(image as tf.Tensor4D, recorded().random, all)), probe)),
    x,
  );
});

Deno.test("augment() compiled gives what it gives eagerly, with its gradient", async () => {
  const all = { flip: 0.5, move: 0.5, erase: 0.5 };
  const run = async (name: "onnx" | "tfjs") => {
    const engine = await createEngine({ engine: name });
    const compiled = engine.compile(({ image }: { image: tf.Tensor }, { random }) => {
      let seen: tf.Tensor | undefined;
      const { grad } = tf.valueAndGrad((given) => {
        seen = tf.keep(augment(given as tf.Tensor4D, random, all));
        return tf.sum(tf.square(seen));
      })(image);
      return { seen: seen!, grad };
    }, { name: "augment" });
    const image = { shape: x.shape, data: x.dataSync() as Float32Array };
    const result = await compiled({ image }, { random: createRandom(3, "test.engines") });
    await engine.dispose();
    return result;
  };
  const [compiled, eager] = [await run("onnx"), await run("tfjs")];
  for (const name of ["seen", "grad"] as const) {
    const tensor = ({ shape, data }: { shape: readonly number[]; data: Float32Array }) =>
      tf.tensor(data, [...shape]);
    assertNear(tensor(compiled[name] as never), tensor(eager[name] as never));
  }
});
