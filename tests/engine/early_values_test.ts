import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import ort from "onnxruntime-node";
import { earlyValues } from "../../engine/early_values.ts";
import { nodeRules } from "../../engine/kernels/mod.ts";
import { lower } from "../../engine/lowering.ts";
import { simplify } from "../../engine/passes/mod.ts";
import { producers, type Program } from "../../engine/program.ts";
import { registerMissingGradients } from "../../engine/gradients.ts";
import { trace } from "../../engine/tracing.ts";

registerMissingGradients();

const LAYERS = 8;
const WEIGHTS = Array.from({ length: LAYERS }, () => [4, 4]);

/** The gradients of a network of some layers as one vector, and its loss. */
function step(layers: number): Program {
  const traced = trace("step", [[2, 4], ...WEIGHTS.slice(0, layers)], ([x, ...weights]) => {
    const loss = (...weights: tf.Tensor[]) =>
      tf.sum(
        tf.square(
          weights.reduce((y, w) => tf.sin(tf.matMul(y as tf.Tensor2D, w as tf.Tensor2D)), x!),
        ),
      );
    const { value, grads } = tf.valueAndGrads(loss)(weights, tf.scalar(1));
    return [tf.concat(grads.map((dw) => tf.reshape(dw, [-1]))), value];
  });
  return simplify(traced);
}

/** Products in the order of OpenVINO, which goes back from the outputs, first inputs first. */
function products(program: Program, outputs: readonly number[]): number[] {
  const makers = producers(program);
  const ran = new Set<number>();
  const visit = (id: number) => {
    makers.get(id)?.inputs.forEach(visit);
    ran.add(id);
  };
  outputs.forEach(visit);
  return [...ran].filter((id) => makers.get(id)?.kernel === "BatchMatMul");
}

Deno.test("earlyValues() has gradients computed before the backward pass goes on", () => {
  const program = step(LAYERS);
  const recorded = program.ops.filter(({ kernel }) => kernel === "BatchMatMul")
    .map(({ outputs: [id] }) => id!);
  const forward = recorded.slice(0, LAYERS);
  const isGradient = (id: number) => program.values[id]!.shape.join() === "4,4";
  const backward = (outputs: readonly number[]) =>
    products(program, outputs).slice(LAYERS).map((id) => isGradient(id) ? "dw" : "dx");

  assert.deepEqual(products(program, program.outputs).slice(0, LAYERS), forward);
  const late = Array(LAYERS - 1).fill("dx");
  assert.deepEqual(backward(program.outputs), [...late, ...Array(LAYERS).fill("dw")]);
  // The gradient of a layer never waits for more than the next layer's way back.
  const kinds = backward([...earlyValues(program), ...program.outputs]).join(" ");
  assert.match(kinds, /^(dw dx |dx dw ){7}dw$/);
});

Deno.test("earlyValues() are outputs before all others, and each output is there once", async () => {
  const program = step(LAYERS);
  const early = earlyValues(program);
  const session = await ort.InferenceSession.create(
    lower(program, "openvino", nodeRules(), { early }),
  );
  const outputs = session.outputNames;
  await session.release();
  assert.equal(outputs.length, LAYERS + 2);
  assert.equal(outputs[0], "out1"); // the loss is known first
  assert.equal(outputs.at(-1), "out0");
  assert.equal(new Set(outputs).size, outputs.length);
});

Deno.test("earlyValues() are none where few parts are put together", () => {
  assert.deepEqual(earlyValues(step(3)), []);
});
