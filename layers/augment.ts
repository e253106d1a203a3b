import * as tf from "@tensorflow/tfjs";
import type { GraphRandom } from "../core/random.ts";
import { leakyRelu } from "./activation.ts";

/** Probability of each change, for every image by itself; 0 leaves it out. */
export interface Augmentation {
  /** Mirrors left and right. */
  readonly flip: number;
  /** Scales by 0.7 to 1.2, and moves by up to 0.1 of the width and 0.3 of the height. */
  readonly move: number;
  /** Sets a rectangle of 0.02 to 0.33 of the area, 0.3 to 3.3 times as high as wide, to zero. */
  readonly erase: number;
}

/** A number per image, `[N,1,1]`. */
type PerImage = tf.Tensor3D;

/** How the pixels of one axis are read: `sign (position - shift) / scale`, from the centre. */
interface Placement {
  readonly scale: PerImage;
  /** In pixels. */
  readonly shift: PerImage;
  readonly sign: PerImage;
}

/** `[N,size,size]`: each row interpolates between the two pixels it falls between; zero outside. */
function axisMatrices(size: number, { scale, shift, sign }: Placement): tf.Tensor3D {
  const centre = (size - 1) / 2;
  const pixels = tf.range(0, size);
  const target = tf.reshape(tf.sub(pixels, centre), [1, size, 1]);
  const source = tf.add(tf.mul(tf.div(tf.sub(target, shift), scale), sign), centre);
  const distance = tf.abs(tf.sub(source, tf.reshape(pixels, [1, 1, size])));
  return leakyRelu(tf.sub(1, distance) as tf.Tensor3D, 0);
}

/** Applies a matrix per image to the rows, and another to the columns. */
function place(x: tf.Tensor4D, rows: tf.Tensor3D, columns: tf.Tensor3D): tf.Tensor4D {
  const [n, height, width, channels] = x.shape;
  const down = tf.matMul(rows, tf.reshape(x, [n, height, width * channels]));
  const turned = tf.transpose(tf.reshape(down, [n, height, width, channels]), [0, 2, 1, 3]);
  const along = tf.matMul(columns, tf.reshape(turned, [n, width, height * channels]));
  return tf.transpose(tf.reshape(along, [n, width, height, channels]), [0, 2, 1, 3]);
}

/** `[N,size,1]`: 1 on the pixels whose centre is in a stretch of `length` from `start` on. */
function stretch(size: number, start: tf.Tensor, length: PerImage): tf.Tensor3D {
  const centres = tf.reshape(tf.add(tf.range(0, size), 0.5), [1, size, 1]);
  const after = tf.step(tf.sub(centres, start));
  const before = tf.step(tf.sub(tf.add(start, length), centres));
  return tf.mul(after, before);
}

/**
 * Changes what a discriminator sees, at random and for every image by itself, so that it cannot
 * learn the images by heart: mirrored, scaled and moved (bilinear, zero outside), partly erased.
 *
 * Has derivatives in the images. The changes are those of the author's code, but its rotation by up
 * to 20 degrees: the others need two matrix products per image, and run on every engine.
 *
 * - Shapes: `image` `[N,H,W,C]` gives the same.
 * - Source: MobileStyleGAN.pytorch (the values); Karras et al., NeurIPS 2020, section 2 (why a
 *   probability well below 1 does not show in the generator's images).
 */
export function augment(
  image: tf.Tensor4D,
  random: GraphRandom,
  { flip, move, erase }: Augmentation,
): tf.Tensor4D {
  const placed = flip > 0 || move > 0 ? placeAtRandom(image, random, { flip, move }) : image;
  return erase > 0 ? eraseAtRandom(placed, random, erase) : placed;
}

/** What is drawn for `n` images. */
function drawsOf(random: GraphRandom, n: number) {
  const draw = (low: number, high: number) => random.uniform([n, 1, 1], low, high) as PerImage;
  /** 1 with a probability, else 0. */
  const chosen = (probability: number) => tf.step(tf.sub(probability, draw(0, 1))) as PerImage;
  return { draw, chosen };
}

function placeAtRandom(
  image: tf.Tensor4D,
  random: GraphRandom,
  { flip, move }: Omit<Augmentation, "erase">,
): tf.Tensor4D {
  const [n, height, width] = image.shape;
  const { draw, chosen } = drawsOf(random, n);
  const [plain, still] = [tf.ones([1, 1, 1]), tf.zeros([1, 1, 1])] as [PerImage, PerImage];
  const moved = move > 0 ? chosen(move) : still;
  /** A value that is drawn where the image is moved, else 0. */
  const by = (low: number, high: number) =>
    (move > 0 ? tf.mul(moved, draw(low, high)) : still) as PerImage;
  const scale = tf.add(1, by(-0.3, 0.2)) as PerImage;
  const sign = flip > 0 ? tf.sub(1, tf.mul(2, chosen(flip))) as PerImage : plain;
  const rows = { scale, shift: by(-0.3 * height, 0.3 * height), sign: plain };
  const columns = { scale, shift: by(-0.1 * width, 0.1 * width), sign };
  return place(image, axisMatrices(height, rows), axisMatrices(width, columns));
}

function eraseAtRandom(image: tf.Tensor4D, random: GraphRandom, erase: number): tf.Tensor4D {
  const [n, height, width] = image.shape;
  const { draw, chosen } = drawsOf(random, n);
  const area = tf.mul(draw(0.02, 0.33), height * width);
  const aspect = draw(0.3, 3.3);
  const high = tf.minimum(tf.sqrt(tf.mul(area, aspect)), height) as PerImage;
  const wide = tf.minimum(tf.sqrt(tf.div(area, aspect)), width) as PerImage;
  const rows = stretch(height, tf.mul(draw(0, 1), tf.sub(height, high)), high);
  const columns = stretch(width, tf.mul(draw(0, 1), tf.sub(width, wide)), wide);
  const hole = tf.mul(
    tf.mul(tf.reshape(rows, [n, height, 1, 1]), tf.reshape(columns, [n, 1, width, 1])),
    tf.reshape(chosen(erase), [n, 1, 1, 1]),
  );
  return tf.mul(image, tf.sub(1, hole));
}
