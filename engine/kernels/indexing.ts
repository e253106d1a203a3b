/** Kernels that pick, place and sort numbers by index. @module */
import * as tf from "@tensorflow/tfjs";
import { type KernelRule, mismatch, type Rule, sizeOf, type TensorType } from "../rule.ts";
import { physicalAxis } from "./shape.ts";
import { cast } from "./typed.ts";

/** As the tensor that TensorFlow.js's shape functions take; they read no numbers. */
const like = ({ shape, dtype }: TensorType) =>
  ({ shape: [...shape], dtype, rank: shape.length, size: sizeOf(shape) }) as tf.Tensor;

const gather: KernelRule = {
  kernel: "GatherV2",
  inputs: ["x", "indices"],
  infer([x, indices], { axis, batchDims }) {
    const [at] = tf.util.parseAxisParam(axis, [...x!.shape]);
    const { outputShape } = tf.backend_util.segment_util
      .collectGatherOpShapeInfo(like(x!), like(indices!), at!, batchDims ?? 0);
    return { shape: outputShape, dtype: x!.dtype };
  },
  lower({ inputs: [x, indices], attributes: { axis, batchDims }, outputs: [out] }, l) {
    const shape = l.shape(x!);
    const rank = l.shape(indices!).length;
    const [at] = tf.util.parseAxisParam(axis, [...shape]) as [number];
    if (!batchDims) {
      const layout = rank === 1 ? l.layoutOf([x!]) : "channelsLast";
      const operands = [l.get(x!, layout), l.get(indices!)];
      return l.put(out!, l.emit("Gather", operands, { axis: physicalAxis(layout, at) }), layout);
    }
    // GatherND wants the axis right after those of the batch: move it there and back.
    const axes = shape.map((_, i) => i);
    const outer = axes.slice(batchDims, at);
    const moved = [...axes.slice(0, batchDims), at, ...outer, ...axes.slice(at + 1)];
    const index = l.reshape(cast(l, l.get(indices!), "int32", "int64"), [...l.shape(indices!), 1]);
    const picked = l.emit("GatherND", [l.transpose(l.get(x!), moved), index], {
      batch_dims: batchDims,
    });
    const count = rank - batchDims; // axes of the indices stand where the outer axes belong
    const range = (from: number, length: number) => Array.from({ length }, (_, i) => from + i);
    const back = [
      ...range(0, batchDims),
      ...range(batchDims + count, outer.length),
      ...range(batchDims, count),
      ...range(batchDims + count + outer.length, shape.length - at - 1),
    ];
    l.put(out!, l.transpose(picked, back));
  },
};

const gatherNd: KernelRule = {
  kernel: "GatherNd",
  inputs: ["params", "indices"],
  infer([params, indices]) {
    const [shape] = tf.backend_util.prepareAndValidate(like(params!), like(indices!));
    return { shape, dtype: params!.dtype };
  },
  lower({ inputs: [params, indices], outputs: [out] }, l) {
    const index = cast(l, l.get(indices!), "int32", "int64");
    l.put(out!, l.emit("GatherND", [l.get(params!), index]));
  },
};

/** Numbers that meet at one place are added up. */
const scatterNd: KernelRule = {
  kernel: "ScatterNd",
  inputs: ["indices", "updates"],
  infer([indices, updates], { shape }) {
    tf.backend_util.calculateShapes(like(updates!), like(indices!), shape);
    return { shape, dtype: updates!.dtype };
  },
  lower({ inputs: [indices, updates], outputs: [out] }, l) {
    const { shape, dtype } = l.value(out!);
    const scalar = dtype === "int32" ? l.constant(Int32Array.of(0), [], "int32") : l.scalar(0);
    const zeros = l.emit("Expand", [scalar, l.integers(shape)]);
    const index = cast(l, l.get(indices!), "int32", "int64");
    const numbers = cast(l, l.get(updates!), dtype, dtype === "int32" ? "int32" : "float32");
    const sum = l.emit("ScatterND", [zeros, index, numbers], { reduction: "add" });
    l.put(out!, cast(l, sum, dtype === "int32" ? "int32" : "float32", dtype));
  },
};

const tensorScatterUpdate: KernelRule = {
  kernel: "TensorScatterUpdate",
  inputs: ["tensor", "indices", "updates"],
  infer([tensor, indices, updates]) {
    tf.backend_util.calculateShapes(like(updates!), like(indices!), [...tensor!.shape]);
    return tensor!;
  },
  lower({ inputs: [tensor, indices, updates], outputs: [out] }, l) {
    const index = cast(l, l.get(indices!), "int32", "int64");
    l.put(out!, l.emit("ScatterND", [l.get(tensor!), index, l.get(updates!)]));
  },
};

const topK: KernelRule = {
  kernel: "TopK",
  inputs: ["x"],
  infer([x], { k }) {
    const shape = x!.shape.with(-1, k);
    return [{ shape, dtype: x!.dtype }, { shape, dtype: "int32" }];
  },
  lower({ inputs: [x], attributes: { k }, outputs: [values, indices] }, l) {
    const [value, index] = l.emitMany("TopK", [l.get(x!), l.integers([k])], {}, 2);
    l.put(values!, value!);
    l.put(indices!, cast(l, index!, "int64", "int32"));
  },
};

/** How often each of `size` numbers occurs, or the sum of its weights. */
function count(x: tf.Tensor, weights: tf.Tensor, size: number): tf.Tensor {
  const summands = weights.size ? weights : tf.ones(x.shape, weights.dtype as "float32");
  return tf.unsortedSegmentSum(summands, x as tf.Tensor1D, size);
}

/** Rules of this family. */
export const indexingRules: readonly Rule[] = [
  gather,
  gatherNd,
  scatterNd,
  tensorScatterUpdate,
  topK,
  {
    kernel: "OneHot",
    compose({ indices }, { depth, onValue, offValue, dtype = "int32" }) {
      const classes = tf.range(0, depth, 1, "int32");
      const hit = tf.equal(tf.expandDims(indices!, -1), classes);
      return tf.where(hit, tf.scalar(onValue, dtype), tf.scalar(offValue, dtype));
    },
  },
  {
    kernel: "UnsortedSegmentSum",
    // What belongs to no segment goes to one more, which is cut off.
    compose({ x, segmentIds }, { numSegments }) {
      if (segmentIds!.rank !== 1) {
        throw mismatch("segmentIds of one axis", `shape [${segmentIds!.shape}]`);
      }
      const outside = tf.logicalOr(
        tf.less(segmentIds!, tf.scalar(0, "int32")),
        tf.greaterEqual(segmentIds!, tf.scalar(numSegments, "int32")),
      );
      const ids = tf.where(outside, tf.scalar(numSegments, "int32"), segmentIds!);
      const rest = x!.shape.slice(1);
      const sums = tf.scatterND(
        tf.expandDims(ids, -1) as tf.Tensor,
        x!,
        [numSegments + 1, ...rest],
      );
      return tf.slice(sums, 0, numSegments);
    },
  },
  {
    kernel: "Diag",
    compose({ x }) {
      const diagonal = tf.cast(tf.eye(x!.size), "bool");
      const values = tf.where(diagonal, tf.reshape(x!, [x!.size, 1]), tf.scalar(0, x!.dtype));
      return tf.reshape(values, [...x!.shape, ...x!.shape]);
    },
  },
  {
    kernel: "SparseToDense",
    compose({ sparseIndices, sparseValues, defaultValue }, { outputShape }) {
      const indices = sparseIndices!.rank === 1
        ? tf.expandDims(sparseIndices!, -1)
        : tf.reshape(sparseIndices!, [-1, outputShape.length]);
      const values = tf.broadcastTo(sparseValues!, [indices.shape[0]!]);
      return tf.tensorScatterUpdate(tf.broadcastTo(defaultValue!, outputShape), indices, values);
    },
  },
  {
    kernel: "Bincount",
    compose: ({ x, weights }, { size }) => count(x!, weights!, size),
  },
  {
    kernel: "DenseBincount",
    compose({ x, weights }, { size, binaryOutput }) {
      if (x!.rank === 1) return count(x!, weights!, size);
      const hits = tf.equal(tf.expandDims(x!, -1), tf.range(0, size, 1, "int32"));
      if (binaryOutput) return tf.cast(tf.any(hits, 1), weights!.dtype);
      const ones = tf.cast(hits, weights!.dtype);
      return tf.sum(weights!.size ? tf.mul(ones, tf.expandDims(weights!, -1)) : ones, 1);
    },
  },
  {
    kernel: "SearchSorted",
    compose({ sortedSequence, values }, { side }) {
      const below = side === "left" ? tf.less : tf.lessEqual;
      const hits = below(tf.expandDims(sortedSequence!, 1), tf.expandDims(values!, 2));
      return tf.sum(tf.cast(hits, "int32"), 2);
    },
  },
];
