import * as tf from "@tensorflow/tfjs";
import type { Op, Program } from "../program.ts";
import { producers, useCounts } from "../program.ts";
import { sameShape } from "../rule.ts";

/** Name of the kernel that is a sum over the pixels of a product `[N,H,W,C]`. */
export const SUM_OF_PRODUCTS = "SumOfProducts";

/** Makes one operation of a product and the sum over its pixels, if nothing else reads the product. */
export function sumProducts(program: Program): Program {
  const { values } = program;
  const uses = useCounts(program);
  const makers = producers(program);
  const gone = new Set<Op>();
  const merged = program.ops.map((op): Op => {
    if (op.kernel !== "Sum") return op;
    const [x] = op.inputs as [number];
    const product = makers.get(x);
    if (product?.kernel !== "Multiply" || uses.get(x) !== 1) return op;
    const { shape } = values[x]!;
    const axes = tf.util.parseAxisParam(op.attributes["axis"], [...shape]).toSorted().join();
    const full = shape.length === 4 &&
      product.inputs.every((id) => sameShape(values[id]!.shape, shape));
    if (!full || (axes !== "1,2" && axes !== "0,1,2")) return op;
    gone.add(product);
    const attributes = { parts: [product, op], images: axes !== "1,2" };
    return { ...op, kernel: SUM_OF_PRODUCTS, inputs: product.inputs, attributes };
  });
  return { ...program, ops: merged.filter((op) => !gone.has(op)) };
}
