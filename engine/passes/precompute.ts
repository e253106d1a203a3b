import * as tf from "@tensorflow/tfjs";
import { nodeRules } from "../kernels/mod.ts";
import type { Op, Program, Value } from "../program.ts";
import { sizeOf } from "../rule.ts";
import { prune } from "./prune.ts";

/** Results of up to so many numbers are kept whatever they were made of. */
const SMALL = 4096;

/**
 * Computes now what depends on no input: scaled kernels, demodulation that is merged into them. For
 * files that others run; a runtime does the same when it opens a program, but a file keeps what it
 * is given.
 *
 * Results that are larger than what they are made of, such as a noise map repeated over channels, are
 * left to the runtime. TensorFlow.js computes, in JavaScript.
 */
export function precompute(program: Program): Program {
  const rules = nodeRules();
  const values: Value[] = [...program.values];
  const isKnown = (id: number) => values[id]!.constant !== undefined;
  const pays = ({ inputs, outputs }: Op) => {
    const largest = Math.max(SMALL, ...inputs.map((id) => sizeOf(values[id]!.shape)));
    return outputs.every((id) => sizeOf(values[id]!.shape) <= largest);
  };
  const ops = program.ops.filter((op) => {
    const names = rules.get(op.kernel)?.inputs;
    if (!names || !op.inputs.every(isKnown) || !pays(op) || !tf.getKernel(op.kernel, "cpu")) {
      return true;
    }
    run(op, names, values).forEach((value, i) => values[op.outputs[i]!] = value);
    return false;
  });
  return prune({ ...program, values, ops });
}

function run(op: Op, names: readonly string[] | "...", values: readonly Value[]): Value[] {
  const before = tf.getBackend();
  tf.setBackend("cpu");
  try {
    const made: Value[] = [];
    tf.tidy(() => {
      const inputs = op.inputs.map((id) => {
        const { constant, shape, dtype } = values[id]!;
        return tf.tensor(constant!, [...shape], dtype);
      });
      const named = names === "..."
        ? inputs
        : Object.fromEntries(names.map((name, i) => [name, inputs[i]!]));
      const results = tf.engine().runKernel(op.kernel, named as tf.NamedTensorMap, op.attributes);
      [results].flat().forEach((tensor, i) => {
        const constant = tensor.dataSync() as NonNullable<Value["constant"]>;
        made.push({ ...values[op.outputs[i]!]!, constant });
      });
    });
    return made;
  } finally {
    tf.setBackend(before);
  }
}
