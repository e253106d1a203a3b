import * as tf from "@tensorflow/tfjs";

/**
 * What a part gave, if it is a tensor of the shape that its kind asks for: anybody may have written
 * the part. Lengths that are names (`"N"`) may be anything.
 *
 * @throws {TypeError} If it is no tensor.
 * @throws {RangeError} If it has another shape.
 */
export function expectOutput<Output extends tf.Tensor>(
  output: Output,
  shape: readonly (number | string)[],
  { kind, name }: { readonly kind: string; readonly name: string },
): Output {
  const what = `Cannot use ${kind} "${name}": expected a tensor of shape [${shape}]`;
  if (!(output instanceof tf.Tensor)) {
    throw new TypeError(`${what} but received ${output === null ? "null" : typeof output}`);
  }
  const fits = output.shape.length === shape.length &&
    shape.every((length, axis) => typeof length === "string" || length === output.shape[axis]);
  if (!fits) throw new RangeError(`${what} but received shape [${output.shape}]`);
  return output;
}
