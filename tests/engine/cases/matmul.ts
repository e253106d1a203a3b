import * as tf from "@tensorflow/tfjs";
import { type KernelCase, use } from "./case.ts";

/** Cases of the family. */
export const matmulCases: Readonly<Record<string, readonly KernelCase[]>> = {
  BatchMatMul: [
    ...([[false, false], [true, false], [false, true], [true, true]] as const).flatMap((
      [transposeA, transposeB],
    ) =>
      [[], [2], [2, 2]].map((batch) =>
        use(
          `[${batch}] matrices${transposeA ? ", first turned" : ""}${
            transposeB ? ", second turned" : ""
          }`,
          (a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b, transposeA, transposeB),
          [
            [...batch, ...(transposeA ? [3, 2] : [2, 3])],
            [...batch, ...(transposeB ? [4, 3] : [3, 4])],
          ],
        )
      )
    ),
    use("one matrix times many", tf.matMul, [[2, 3], [2, 3, 2]]),
    use("many times one", tf.matMul, [[2, 2, 3], [3, 2]]),
    use("a batch of one times many", tf.matMul, [[1, 2, 3], [2, 3, 2]]),
    use("vectors", (a: tf.Tensor, b: tf.Tensor) => tf.dot(a, b), [[3], [3]]),
    use(
      "outer product",
      (a: tf.Tensor, b: tf.Tensor) => tf.outerProduct(a as tf.Tensor1D, b as tf.Tensor1D),
      [[
        3,
      ], [2]],
    ),
  ],
};

const einsum = (equation: string, ...shapes: number[][]) =>
  use(
    equation,
    (...xs: tf.Tensor[]) => tf.einsum(equation, ...xs.map((x, i) => i === 0 ? tf.square(x) : x)),
    shapes,
  );

/** Cases of the family. */
export const einsumCases: Readonly<Record<string, readonly KernelCase[]>> = {
  Einsum: [
    einsum("ij->ji", [2, 3]),
    einsum("ij->", [2, 3]),
    einsum("ij->i", [2, 3]),
    einsum("ij,jk->ik", [2, 3], [3, 2]),
    einsum("ij,jk->ki", [2, 3], [3, 2]),
    einsum("bij,bjk->bik", [2, 2, 3], [2, 3, 2]),
    einsum("bhqd,bhkd->bhqk", [2, 2, 3, 2], [2, 2, 4, 2]),
    einsum("i,j->ij", [2], [3]),
    einsum("i,i->", [3], [3]),
    einsum("ij, kj -> ik", [2, 3], [4, 3]),
    einsum("nhwc,nc->nhwc", [2, 3, 2, 4], [2, 4]),
  ],
};
