/** Runs a recorded program on TensorFlow.js: the meaning that rewrites must keep. */
import * as tf from "@tensorflow/tfjs";
import { nodeRules } from "../../engine/kernels/mod.ts";
import type { Op, Program } from "../../engine/program.ts";
import { haar, inverseHaar } from "../../layers/haar.ts";
import { resample } from "../../layers/resample.ts";

const RULES = nodeRules();

/** The kernels that only the tracing backend has, or that broadcast only there. */
const OWN: Readonly<Record<string, (inputs: tf.Tensor[], op: Op) => tf.Tensor>> = {
  BroadcastTo: ([x], { attributes }) => tf.broadcastTo(x!, attributes["shape"]),
  Haar: ([x]) => haar(x as tf.Tensor4D),
  InverseHaar: ([x]) => inverseHaar(x as tf.Tensor4D),
  LeakyReluGradient: ([dy, x], { attributes }) => tf.mul(dy!, tf.step(x!, attributes["alpha"])),
  Resample: ([x], { attributes: { rows, columns } }) => resample(x as tf.Tensor4D, rows, columns),
  Select: ([condition, t, e]) => tf.where(condition!, t!, e!),
  SpaceToDepth: ([x], { attributes: { blockSize } }) => {
    const [n, h, w, c] = x!.shape as [number, number, number, number];
    const cells = tf.reshape(x!, [n, h / blockSize, blockSize, w / blockSize, blockSize, c]);
    return tf.reshape(tf.transpose(cells, [0, 1, 3, 2, 4, 5]), [
      n,
      h / blockSize,
      w / blockSize,
      blockSize ** 2 * c,
    ]);
  },
};

/** The outputs of a program. */
export function interpret(program: Program, inputs: readonly tf.Tensor[]): tf.Tensor[] {
  tf.setBackend("cpu");
  const known = new Map<number, tf.Tensor>();
  program.inputs.forEach((id, i) => known.set(id, inputs[i]!));
  const get = (id: number): tf.Tensor => {
    const value = known.get(id);
    if (value) return value;
    const { constant, shape, dtype } = program.values[id]!;
    const made = tf.tensor(constant!, [...shape], dtype);
    known.set(id, made);
    return made;
  };
  for (const op of program.ops) {
    const made = run(op, op.inputs.map(get));
    (Array.isArray(made) ? made : [made]).forEach((x, i) => known.set(op.outputs[i]!, x));
  }
  return program.outputs.map(get);
}

function run(op: Op, inputs: tf.Tensor[]): tf.Tensor | tf.Tensor[] {
  const own = OWN[op.kernel];
  if (own) return own(inputs, op);
  const names = RULES.get(op.kernel)!.inputs;
  const named = names === "..."
    ? inputs
    : Object.fromEntries(names.map((name, i) => [name, inputs[i]!]));
  return tf.engine().runKernel(op.kernel, named as tf.NamedTensorMap, op.attributes);
}
