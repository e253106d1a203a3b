import { producers, type Program } from "./program.ts";
import { sizeOf } from "./rule.ts";

const MANY = 8; // parts; the gradients of a network have more

/**
 * The values, in the order in which the program makes them, that would come too late: the parts of
 * what is put together of many, such as the gradients of a network's parameters, and losses.
 *
 * OpenVINO orders nodes by walking back from the outputs, the first input first. The gradient of the
 * first layer is the first part of a step's vector of gradients and is the last to be known, so the
 * whole way back through the network would come first, and what it meets be kept for the gradients
 * of the other parameters. As outputs before all others, these values are made when they can be.
 */
export function earlyValues({ ops, values, outputs }: Program): number[] {
  const makers = producers({ ops });
  const order = new Map(ops.map((op, i) => [op, i]));
  const place = (id: number) => order.get(makers.get(id)!)!;
  const root = (id: number): number => {
    const op = makers.get(id);
    return op?.kernel === "Reshape" ? root(op.inputs[0]!) : id;
  };
  const parts = ops.filter(({ kernel, inputs }) => kernel === "Concat" && inputs.length >= MANY)
    .flatMap(({ inputs }) => inputs.map(root));
  if (parts.length === 0) return [];
  const losses = outputs.filter((id) => sizeOf(values[id]!.shape) === 1);
  return [...new Set([...parts, ...losses])]
    .filter((id) => makers.has(id) && values[id]!.dtype === "float32")
    .toSorted((a, b) => place(a) - place(b));
}
