/** The steps of random programs on images. */
import * as tf from "@tensorflow/tfjs";
import { haar, inverseHaar } from "../../../layers/haar.ts";

/** One step of a random program. */
export interface Step {
  readonly name: string;
  /** What it makes of the last value and an earlier one. */
  readonly run: (x: tf.Tensor4D, earlier: tf.Tensor) => tf.Tensor;
  /** Whether it can take an image of a shape. */
  readonly takes?: (shape: readonly number[]) => boolean;
}

const even = ([, h, w]: readonly number[]) => h! % 2 === 0 && w! % 2 === 0;
const filter = (kh: number, kw: number, from: number, to: number) =>
  tf.tensor4d(
    Float32Array.from({ length: kh * kw * from * to }, (_, i) => Math.sin(i + 1) / (kh * kw)),
    [kh, kw, from, to],
  );

/** All steps: each keeps numbers small and has a derivative. */
export const STEPS: readonly Step[] = [
  { name: "conv 1x1", run: (x) => tf.conv2d(x, filter(1, 1, x.shape[3], 3), 1, "same") },
  { name: "conv 3x3", run: (x) => tf.conv2d(x, filter(3, 3, x.shape[3], 4), 1, "same") },
  {
    name: "conv stride 2",
    run: (x) => tf.conv2d(x, filter(2, 2, x.shape[3], 4), 2, "same"),
    takes: ([, h, w]) => h! > 1 && w! > 1,
  },
  {
    name: "depthwise",
    run: (x) => tf.depthwiseConv2d(x, filter(3, 3, x.shape[3], 1), 1, "same"),
  },
  {
    name: "transposed conv",
    run: (x) => {
      const [n, h, w, c] = x.shape;
      return tf.conv2dTranspose(x, filter(2, 2, 3, c), [n, 2 * h, 2 * w, 3], 2, "same");
    },
    takes: ([, h, w]) => h! * w! <= 16,
  },
  { name: "tanh", run: (x) => tf.tanh(x) },
  { name: "square of sine", run: (x) => tf.square(tf.sin(x)) },
  { name: "leaky", run: (x) => tf.leakyRelu(x, 0.3) },
  { name: "scale channels", run: (x) => tf.mul(x, tf.linspace(0.5, 1.5, x.shape[3])) },
  {
    name: "scale rows",
    run: (x) => tf.mul(x, tf.reshape(tf.linspace(0.5, 1, x.shape[1]), [-1, 1, 1])),
  },
  {
    name: "scale images",
    run: (x) => tf.mul(x, tf.reshape(tf.linspace(0.5, 1, x.shape[0]), [-1, 1, 1, 1])),
  },
  { name: "mean of channels", run: (x) => tf.sub(x, tf.mean(x, 3, true)) },
  { name: "mean of pixels", run: (x) => tf.sub(x, tf.mean(x, [1, 2], true)) },
  { name: "mean of images", run: (x) => tf.sub(x, tf.mean(x, 0, true)) },
  {
    name: "norm of pixels",
    run: (x) => tf.div(x, tf.sqrt(tf.add(tf.mean(tf.square(x), -1, true), 1))),
  },
  { name: "softmax", run: (x) => tf.softmax(x) },
  { name: "maximum of channels", run: (x) => tf.sub(x, tf.expandDims(tf.sum(x, 3), 3)) },
  { name: "reverse rows", run: (x) => tf.reverse(x, [1]) },
  { name: "reverse channels", run: (x) => tf.reverse(x, -1) },
  { name: "swap height and width", run: (x) => tf.transpose(x, [0, 2, 1, 3]) },
  { name: "swap height and channels", run: (x) => tf.transpose(x, [0, 3, 2, 1]) },
  {
    name: "to NCHW and back",
    run: (x) => tf.transpose(tf.tanh(tf.transpose(x, [0, 3, 1, 2])), [0, 2, 3, 1]),
  },
  {
    name: "flat and back",
    run: (x) => tf.reshape(tf.tanh(tf.reshape(x, [x.shape[0], -1])), x.shape),
  },
  {
    name: "rows as channels",
    run: (x) => {
      const [n, h, w, c] = x.shape;
      return tf.reshape(x, [n, 1, w, h * c]);
    },
    takes: ([, h, , c]) => h! * c! <= 12,
  },
  {
    name: "pad",
    run: (x) => tf.pad(x, [[0, 0], [1, 0], [0, 1], [0, 1]], 0.5),
    takes: ([, h, w, c]) => h! * w! * c! < 60,
  },
  {
    name: "crop",
    run: (x) => tf.slice(x, [0, 1, 0, 0], [-1, x.shape[1] - 1, -1, -1]),
    takes: ([, h]) => h! > 1,
  },
  {
    name: "split and join",
    run: (x) => {
      const [first, second] = tf.split(x, [1, x.shape[3] - 1], 3);
      return tf.concat([tf.tanh(second!), first!], 3);
    },
    takes: ([, , , c]) => c! > 1,
  },
  {
    name: "split images",
    run: (x) => tf.concat(tf.split(x, x.shape[0], 0).map((y) => tf.sin(y)), 0),
  },
  {
    name: "join with itself",
    run: (x) => tf.concat([x, tf.neg(x)], 3),
    takes: ([, , , c]) => c! <= 4,
  },
  { name: "stack of channels", run: (x) => tf.stack(tf.unstack(x, 3), 3) },
  { name: "gather rows", run: (x) => tf.gather(x, [0, x.shape[1] - 1], 1) },
  { name: "cumulative sum", run: (x) => tf.mul(tf.cumsum(x, 1), 0.3) },
  { name: "haar", run: (x) => haar(x), takes: (shape) => even(shape) && shape[3]! <= 4 },
  {
    name: "inverse haar",
    run: (x) => inverseHaar(x),
    takes: ([, h, w, c]) => c! % 4 === 0 && h! * w! <= 9,
  },
  {
    name: "depth to space",
    run: (x) => tf.depthToSpace(x, 2),
    takes: ([, h, w, c]) => c! % 4 === 0 && h! * w! <= 9,
  },
  { name: "resize", run: (x) => tf.image.resizeBilinear(x, [3, 4], false, true) },
  { name: "repeat", run: (x) => tf.image.resizeNearestNeighbor(x, [4, 4]) },
  { name: "average pool", run: (x) => tf.avgPool(x, 2, 1, "same") },
  {
    name: "matrix product",
    run: (x) => tf.tanh(tf.matMul(x, x, false, true)),
    takes: ([, , w]) => w! <= 5,
  },
  {
    name: "add what was there",
    run: (x, earlier) => sameKind(x, earlier) ? tf.add(x, earlier) : tf.add(x, tf.mean(earlier)),
  },
  {
    name: "multiply by what was there",
    run: (x, earlier) =>
      sameKind(x, earlier) ? tf.mul(x, earlier) : tf.mul(x, tf.tanh(tf.sum(earlier))),
  },
  // What passes look for.
  { name: "nothing", run: (x) => tf.div(tf.mul(tf.add(x, tf.zerosLike(x)), tf.onesLike(x)), 1) },
  {
    name: "from zeros and ones",
    run: (x) => tf.sub(tf.zerosLike(x), tf.div(tf.onesLike(x), tf.add(tf.square(x), 1))),
  },
  { name: "ones that repeat", run: (x) => tf.mul(tf.mean(x, [1, 2], true), tf.ones(x.shape)) },
  { name: "tiled", run: (x) => tf.sub(x, tf.tile(tf.mean(x, 1, true), [1, x.shape[1], 1, 1])) },
  { name: "signs", run: (x) => tf.sub(tf.neg(tf.neg(x)), tf.neg(tf.tanh(tf.neg(x)))) },
  { name: "sum with a sign", run: (x) => tf.add(tf.neg(tf.tanh(x)), x) },
  {
    name: "moves in a row",
    run: (x) => tf.reshape(tf.reshape(tf.expandDims(x, 0), [-1]), x.shape),
  },
  {
    name: "turns in a row",
    run: (x) =>
      tf.transpose(tf.transpose(tf.transpose(x, [3, 0, 1, 2]), [1, 2, 3, 0]), [0, 1, 2, 3]),
  },
  { name: "twice the same", run: (x) => tf.add(tf.mul(tf.sin(x), 0.5), tf.mul(tf.sin(x), 0.5)) },
];

const sameKind = (x: tf.Tensor, y: tf.Tensor) => tf.util.arraysEqual(x.shape, y.shape);
