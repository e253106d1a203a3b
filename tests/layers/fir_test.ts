import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { blurForStride2, downsample, upsampleForConv, upsampleSkip } from "../../layers/fir.ts";
import { assertNear, normal } from "../tensors.ts";

/** The definition of upfirdn, by loops: zero-insertion, padding, 4x4 filter, decimation. */
function upfirdn(
  x: tf.Tensor4D,
  { up = 1, down = 1, pad: [before, after], gain = 1 }: {
    readonly up?: number;
    readonly down?: number;
    readonly pad: readonly [number, number];
    readonly gain?: number;
  },
): tf.Tensor4D {
  const [n, h, w, c] = x.shape;
  const source = x.arraySync();
  const taps = [1, 3, 3, 1];
  const sizeOf = (size: number) => Math.floor((size * up + before + after - 4) / down) + 1;
  const at = (i: number, row: number, column: number, k: number) => {
    const [y, z] = [row / up, column / up];
    const inside = Number.isInteger(y) && Number.isInteger(z) && y >= 0 && y < h && z >= 0 && z < w;
    return inside ? source[i]![y]![z]![k]! : 0;
  };
  const sum = (i: number, row: number, column: number, k: number) => {
    let total = 0;
    for (let y = 0; y < 4; y++) {
      for (let z = 0; z < 4; z++) {
        const value = at(i, row * down + y - before, column * down + z - before, k);
        total += gain / 64 * taps[y]! * taps[z]! * value;
      }
    }
    return total;
  };
  const range = (size: number) => Array.from({ length: size }, (_, i) => i);
  return tf.tensor4d(
    range(n).map((i) =>
      range(sizeOf(h)).map((row) =>
        range(sizeOf(w)).map((column) => range(c).map((k) => sum(i, row, column, k)))
      )
    ),
  );
}

const x = normal("x", [2, 6, 8, 3]);

Deno.test("upsampleSkip() is upfirdn by 2 with pads 2 and 1 and gain 4", () => {
  assertNear(upsampleSkip(x), upfirdn(x, { up: 2, pad: [2, 1], gain: 4 }));
});

Deno.test("blurForStride2() is upfirdn with pads 2 and 2", () => {
  assertNear(blurForStride2(x), upfirdn(x, { pad: [2, 2] }));
});

Deno.test("downsample() is upfirdn by 1/2 with pads 1 and 1", () => {
  assertNear(downsample(x), upfirdn(x, { down: 2, pad: [1, 1] }));
});

Deno.test("upsampleForConv() and a convolution are a transposed convolution and a blur", () => {
  const kernel = normal("kernel", [3, 3, 3, 5]);
  const ours = tf.conv2d(upsampleForConv(x), kernel, 1, "valid");

  // conv2dTranspose takes [height, width, out, in] and is not turned.
  const turned = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]) as tf.Tensor4D;
  const tall = tf.conv2dTranspose(x, turned, [2, 13, 17, 5], 2, "valid");
  assertNear(ours, upfirdn(tall, { pad: [1, 1], gain: 4 }));
});

Deno.test("upsampling keeps a constant away from the border", () => {
  const flat = tf.ones([1, 8, 8, 1]) as tf.Tensor4D;
  const inner = tf.slice(upsampleSkip(flat), [0, 2, 2, 0], [1, 12, 12, 1]);
  assertNear(inner, tf.onesLike(inner));
  assert.deepEqual(upsampleForConv(flat).shape, [1, 18, 18, 1]);
});
