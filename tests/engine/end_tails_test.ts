import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { registerMissingGradients } from "../../engine/gradients.ts";
import { endTails } from "../../engine/passes/end_tails.ts";
import { simplify } from "../../engine/passes/mod.ts";
import { producers, type Program } from "../../engine/program.ts";
import { trace } from "../../engine/tracing.ts";
import { interpret } from "./interpret.ts";

registerMissingGradients();

const CHANNELS = 3;

/** A convolution with bias: loss, gradients of filter and bias, and the norm of the latter. */
function step(): Program {
  const shapes = [[2, 4, 4, CHANNELS], [1, 1, CHANNELS, CHANNELS], [CHANNELS]];
  const traced = trace("step", shapes, ([x, filter, bias]) => {
    const loss = (filter: tf.Tensor, bias: tf.Tensor) => {
      const y = tf.add(tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, "same"), bias);
      return tf.mean(tf.square(tf.sin(y))) as tf.Scalar;
    };
    const { value, grads } = tf.valueAndGrads(loss)([filter!, bias!]);
    return [value, tf.sum(tf.square(grads[1]!)), ...grads];
  });
  return simplify(traced);
}

/** Kernels on the way back from an output, as far as the first convolution. */
function tail(program: Program, output: number): string[] {
  const makers = producers(program);
  const from = (id: number): string[] => {
    const op = makers.get(id);
    return !op || op.kernel.includes("Conv") ? [] : [op.kernel, ...op.inputs.flatMap(from)];
  };
  return from(program.outputs[output]!);
}

Deno.test("endTails() ends what leads from images to the gradient of a bias", () => {
  const program = step();
  assert.ok(tail(program, 3).includes("Sum"));
  const ended = endTails(program);
  assert.deepEqual(tail(ended, 3), ["Reshape"]);
  // The norm of that gradient is computed from it, and ends as well.
  assert.ok(!tail(ended, 1).includes("Sin"));
});

Deno.test("endTails() leaves losses and filters' gradients as they are", () => {
  const program = step();
  const ended = endTails(program);
  assert.ok(tail(ended, 0).includes("Mean"));
  assert.deepEqual(tail(ended, 0), tail(program, 0));
  assert.deepEqual(tail(ended, 2), tail(program, 2));
});

Deno.test("endTails() changes no number", () => {
  const program = step();
  const random = (id: number) => {
    const { shape } = program.values[id]!;
    return tf.randomNormal([...shape], 0, 1, "float32", id + 1);
  };
  const inputs = program.inputs.map(random);
  const [before, after] = [program, endTails(program)].map((each) => interpret(each, inputs));
  assert.deepEqual(
    after!.map((value) => [...value.dataSync()]),
    before!.map((value) => [...value.dataSync()]),
  );
});
