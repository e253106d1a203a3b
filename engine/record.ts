import type * as tf from "@tensorflow/tfjs";
import type { ArrayTree, EngineArray, StepContext, TensorTree } from "./engine.ts";
import type { Program } from "./program.ts";
import type { Rule } from "./rule.ts";
import { trace } from "./tracing.ts";
import { inputLeaves, isArray, outputLeaves, rebuild } from "./tree.ts";

/** A function to trace, its types forgotten. */
export type Traced = (inputs: TensorTree, context: StepContext) => TensorTree;

/** A function of arrays as it was recorded for their shapes, and the form of what it returns. */
export interface Recorded {
  readonly program: Program;
  readonly outputs: TensorTree;
}

/** Records a function for the shapes of arrays. */
export function record(
  name: string,
  inputs: ArrayTree,
  fn: Traced,
  rules: readonly Rule[] | undefined,
): Recorded {
  const shapes = inputLeaves(name, inputs).map(({ leaf }) => leaf.shape);
  let outputs: TensorTree | undefined;
  const program = trace(name, shapes, (tensors, context) => {
    let next = 0;
    const tree = rebuild<EngineArray, tf.Tensor>(inputs, isArray, () => tensors[next++]!);
    outputs = fn(tree, context);
    return outputLeaves(name, outputs).map(({ leaf }) => leaf);
  }, rules);
  return { program, outputs: outputs! };
}
