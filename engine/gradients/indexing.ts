/** Derivatives of picking and placing by index. @module */
import * as tf from "@tensorflow/tfjs";
import type { Gradient } from "./gradient.ts";

/**
 * Adds each dy to the place that it was picked from, all batches at once: the rows of `x` are
 * numbered through `[batch, axis]`. TensorFlow.js's own knows one batch axis.
 */
const gatherGradient: Gradient = {
  kernelName: "GatherV2",
  inputsToSave: ["x", "indices"],
  gradFunc: (gradient, saved, attributes) => {
    const [x, indices] = saved as [tf.Tensor, tf.Tensor];
    const { axis, batchDims } = attributes as unknown as { axis: number; batchDims: number };
    const [at] = tf.util.parseAxisParam(axis, x.shape) as [number];
    const { batchSize, outerSize, dimSize, sliceSize } = tf.backend_util.segment_util
      .collectGatherOpShapeInfo(x, indices, at, batchDims ?? 0);
    const count = indices.size / batchSize;
    const toRows = (y: tf.Tensor, length: number) =>
      tf.reshape(
        outerSize === 1
          ? y
          : tf.transpose(tf.reshape(y, [batchSize, outerSize, length, sliceSize]), [0, 2, 1, 3]),
        [batchSize * length, outerSize * sliceSize],
      );
    return {
      x: () => {
        const first = tf.mul(tf.range(0, batchSize, 1, "int32"), tf.scalar(dimSize, "int32"));
        const rows = tf.add(tf.reshape(indices, [batchSize, count]), tf.expandDims(first, 1));
        const sums = tf.unsortedSegmentSum(
          toRows(gradient as tf.Tensor, count),
          tf.reshape(rows, [-1]) as tf.Tensor1D,
          batchSize * dimSize,
        );
        const placed = tf.reshape(sums, [batchSize, dimSize, outerSize, sliceSize]);
        return tf.reshape(outerSize === 1 ? placed : tf.transpose(placed, [0, 2, 1, 3]), x.shape);
      },
      indices: () => tf.zeros(indices.shape),
    };
  },
};

const gatherNdGradient: Gradient = {
  kernelName: "GatherNd",
  inputsToSave: ["params", "indices"],
  gradFunc: (dy, saved) => {
    const [params, indices] = saved as [tf.Tensor, tf.Tensor];
    return {
      params: () => tf.scatterND(indices, dy as tf.Tensor, params.shape),
      indices: () => tf.zeros(indices.shape),
    };
  },
};

const scatterNdGradient: Gradient = {
  kernelName: "ScatterNd",
  inputsToSave: ["indices"],
  gradFunc: (dy, saved) => {
    const [indices] = saved as [tf.Tensor];
    return {
      updates: () => tf.gatherND(dy as tf.Tensor, indices),
      indices: () => tf.zeros(indices.shape),
    };
  },
};

const tensorScatterUpdateGradient: Gradient = {
  kernelName: "TensorScatterUpdate",
  inputsToSave: ["indices", "updates"],
  gradFunc: (dy, saved) => {
    const [indices, updates] = saved as [tf.Tensor, tf.Tensor];
    return {
      tensor: () => {
        // By a mask, since TensorFlow.js's kernel overwrites the tensor that it is given.
        const hits = tf.scatterND(indices, tf.ones(updates.shape), (dy as tf.Tensor).shape);
        return tf.mul(dy as tf.Tensor, tf.cast(tf.equal(hits, 0), "float32"));
      },
      updates: () => tf.gatherND(dy as tf.Tensor, indices),
      indices: () => tf.zeros(indices.shape),
    };
  },
};

/** dy of the largest numbers goes to where they were; that of the indices is nothing. */
const topKGradient: Gradient = {
  kernelName: "TopK",
  inputsToSave: ["x"],
  outputsToSave: [false, true],
  gradFunc: (gradients, saved) => {
    const [x, indices] = saved as [tf.Tensor, tf.Tensor];
    const [dy] = gradients as tf.Tensor[];
    return {
      x: () => {
        const places = tf.cast(tf.oneHot(indices as tf.Tensor1D, x.shape.at(-1)!), "float32");
        return tf.sum(tf.mul(places, tf.expandDims(dy!, -1)), -2);
      },
    };
  },
};

/** dy is nothing beyond where it is picked: the pick of a pick. */
const segmentSumGradient: Gradient = {
  kernelName: "UnsortedSegmentSum",
  inputsToSave: ["x", "segmentIds"],
  gradFunc: (dy, saved, attributes) => {
    const [x, ids] = saved as [tf.Tensor, tf.Tensor];
    const { numSegments } = attributes as unknown as { readonly numSegments: number };
    return {
      x: () => {
        const known = tf.logicalAnd(
          tf.greaterEqual(ids, tf.scalar(0, "int32")),
          tf.less(ids, tf.scalar(numSegments, "int32")),
        );
        const inside = tf.where(known, ids, tf.zerosLike(ids));
        const picked = tf.gather(dy as tf.Tensor, inside as tf.Tensor1D);
        const mask = tf.cast(known, "float32");
        return tf.mul(picked, tf.reshape(mask, [ids.size, ...x.shape.slice(1).map(() => 1)]));
      },
      segmentIds: () => tf.zeros(ids.shape),
    };
  },
};

/** Derivatives of this family. */
export const indexingGradients: readonly Gradient[] = [
  gatherGradient,
  gatherNdGradient,
  scatterNdGradient,
  tensorScatterUpdateGradient,
  topKGradient,
  segmentSumGradient,
];
