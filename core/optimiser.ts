/**
 * Adam on one flat vector, and the moving average of weights: pure element-wise functions.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Settings of {@linkcode adam}. */
export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Weights of one network with the moments of their gradients, flat `[size]`. */
export interface AdamState<T> {
  readonly weights: T;
  /** First moment; absent when beta1 is 0. */
  readonly mean?: T;
  /** Second moment. */
  readonly power: T;
}

/** Factors of a step that depend on the step's number: fed as scalars, so one graph serves all. */
export interface AdamRates<T> {
  /** Learning rate times the correction of the first moment, 1 / (1 - beta1^t). */
  readonly rate: T;
  /** Correction of the second moment, 1 / (1 - beta2^t). */
  readonly powerCorrection: T;
}

/** The numbers for step `t` = 1, 2, ... (Kingma & Ba, ICLR 2015, algorithm 1). */
export function adamRates(
  learningRate: number,
  t: number,
  { beta1, beta2 }: AdamOptions,
): AdamRates<number> {
  return {
    rate: learningRate / (1 - beta1 ** t),
    powerCorrection: 1 / (1 - beta2 ** t),
  };
}

/** One step of Adam: m, v <- moments; w <- w - rate m / (sqrt(correction v) + epsilon). */
export function adam(
  { weights, mean, power }: AdamState<tf.Tensor>,
  gradient: tf.Tensor,
  { rate, powerCorrection }: AdamRates<tf.Tensor>,
  { beta1, beta2, epsilon }: AdamOptions,
): AdamState<tf.Tensor> {
  const nextPower = tf.add(tf.mul(power, beta2), tf.mul(tf.square(gradient), 1 - beta2));
  const nextMean = mean && tf.add(tf.mul(mean, beta1), tf.mul(gradient, 1 - beta1));
  const scale = tf.add(tf.sqrt(tf.mul(nextPower, powerCorrection)), epsilon);
  const step = tf.div(tf.mul(nextMean ?? gradient, rate), scale);
  return {
    weights: tf.sub(weights, step),
    ...(nextMean && { mean: nextMean }),
    power: nextPower,
  };
}

/** Exponential moving average: `average + (1 - decay) (weights - average)`. */
export function movingAverage(average: tf.Tensor, weights: tf.Tensor, decay: tf.Tensor): tf.Tensor {
  return tf.add(weights, tf.mul(tf.sub(average, weights), decay));
}

/** The decay per step of an average whose half-life is `halfLifeKimg` thousand images. */
export function averageDecay(batch: number, halfLifeKimg: number): number {
  return halfLifeKimg <= 0 ? 0 : 0.5 ** (batch / (1000 * halfLifeKimg));
}

/** Scales a gradient so that its norm is at most `maximum`. */
export function clipNorm(
  gradient: tf.Tensor,
  maximum: number,
): { clipped: tf.Tensor; norm: tf.Tensor } {
  const norm = tf.sqrt(tf.add(tf.sum(tf.square(gradient)), 1e-20));
  return { clipped: tf.mul(gradient, tf.minimum(1, tf.div(maximum, norm))), norm };
}
