import * as tf from "@tensorflow/tfjs";
import type { Params } from "../../core/contracts.ts";
import { under } from "../../core/params.ts";
import { pathLengths } from "../../losses/path_length.ts";
import { mapping } from "../../networks/mapping.ts";
import { synthesis } from "../../networks/synthesis.ts";
import {
  mappingEntries,
  rosinalityNames,
  synthesisEntries,
} from "../../pipelines/convert/rosinality.ts";
import { assertClose, golden, nhwc, reshaped } from "../golden.ts";
import {
  first,
  goldenGradient,
  gradients,
  gradientTolerance,
  noiseMaps,
  parityTest,
  teacherOf,
} from "./reference.ts";

interface Inputs {
  readonly params: Params;
  readonly z: tf.Tensor2D;
  readonly z2: tf.Tensor2D;
  readonly y: tf.Tensor4D;
  readonly noise: tf.Tensor4D[];
}

const { weights, config } = await teacherOf("rosinality.pt", { average: false });
const [cut] = golden("rosinality/mix_cut").data;
const inputs = {
  params: weights,
  z: first(golden("rosinality/z"), 2),
  z2: first(golden("rosinality/z2"), 2),
  y: nhwc(golden("rosinality/pl_noise")),
  noise: noiseMaps("rosinality", 2),
};

function latents({ params, z, z2 }: Inputs): tf.Tensor3D {
  const [first, second] = [z, z2].map((z) => mapping(under(params, "mapping"), z, config));
  const rows = Array.from({ length: 8 }, (_, row) => row < cut! ? first! : second!);
  return tf.stack(rows, 1) as tf.Tensor3D;
}

function lengths(inputs: Inputs): tf.Tensor1D {
  const { params, y, noise } = inputs;
  const image = (w: tf.Tensor) => synthesis(under(params, "synthesis"), { w, noise }, config);
  return pathLengths(image, latents(inputs), tf.div(y, config.sizePx));
}

/** rosinality's running mean after one step from 0.5 with decay 0.01. */
function nextMean(lengths: tf.Tensor1D): tf.Scalar {
  return tf.add(0.5, tf.mul(tf.sub(tf.mean(lengths), 0.5), 0.01));
}

function penalty(inputs: Inputs): tf.Scalar {
  const found = lengths(inputs);
  return tf.mean(tf.square(tf.sub(found, nextMean(found)))) as tf.Scalar;
}

parityTest("path lengths of rosinality's generator", async (run) => {
  const all = (inputs: Inputs) => {
    const found = lengths(inputs);
    return { w: latents(inputs), found, mean: nextMean(found) };
  };
  const { w, found, mean } = await run(all, inputs);
  assertClose(w, golden("rosinality/pl_latents"));
  assertClose(found, golden("rosinality/pl_lengths"), gradientTolerance);
  assertClose(reshaped(mean, [1]), golden("rosinality/pl_mean_new"));
});

parityTest("path-length penalty and its gradients by weights", async (run) => {
  const value = await run(penalty, inputs);
  assertClose(reshaped(value, [1]), golden("rosinality/pl_penalty"), gradientTolerance);
  const keys = [
    "style.1.weight",
    "convs.0.conv.weight",
    "convs.1.conv.modulation.bias",
    "input.input",
  ];
  const wanted = [
    ...mappingEntries(rosinalityNames.mapping!, config),
    ...synthesisEntries(rosinalityNames, config),
  ].filter(({ from }) => keys.includes(from))
    .map((entry) => goldenGradient("rosinality/pl_grad", entry));
  const names = wanted.map(({ name }) => name);
  const slopes = (inputs: Inputs) =>
    gradients((params) => penalty({ ...inputs, params }), inputs.params, names);
  const actual = await run(slopes, inputs);
  wanted.forEach(({ name, gradient }) => assertClose(actual[name]!, gradient, gradientTolerance));
});
