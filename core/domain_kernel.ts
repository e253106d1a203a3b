/**
 * Kernels that TensorFlow.js does not have and this project lives on: Haar, InverseHaar, Resample,
 * LeakyRelu with derivatives of any order. A backend that knows the kernel (the tracing one) runs it
 * as one operation; every other backend composes it from TensorFlow.js's own.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Runs a kernel by name where the current backend has it, else the composed form. */
export function domainKernel<T extends tf.Tensor>(
  name: string,
  inputs: Readonly<Record<string, tf.Tensor>>,
  attributes: Readonly<Record<string, unknown>>,
  composed: () => tf.Tensor,
): T {
  if (!tf.getKernel(name, tf.getBackend())) return composed() as T;
  return tf.engine().runKernel(name, { ...inputs }, { ...attributes } as tf.NamedAttrMap) as T;
}
