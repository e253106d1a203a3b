/**
 * Forms of kernels that are fast on one target, besides the rules, which are right on all.
 *
 * @module
 */
import type { Form } from "../lowering.ts";
import { blockedConvolutions } from "./blocked_convolution.ts";
import {
  blockedBackpropFilter,
  blockedDepthwiseBackpropFilter,
} from "./blocked_filter_gradient.ts";
import { fused } from "./blocked_node.ts";
import { lateSlope } from "./late_slope.ts";
import { pixelRows } from "./pixel_rows.ts";
import { scaledName } from "../passes/fold_scales.ts";
import { fusedName } from "../passes/fuse_convolutions.ts";
import { SUM_OF_PRODUCTS } from "../passes/sum_products.ts";
import { blockedHaar, blockedInverseHaar } from "./blocked_haar.ts";
import { blockedReduction, blockedSumOfProducts } from "./blocked_reduction.ts";
import { blockedSlope } from "./blocked_slope.ts";
import { channelsLastFilterGradient } from "./channels_last_filter_gradient.ts";
import { depthwiseResample } from "./depthwise_resample.ts";
import { gatheredHaar, gatheredInverseHaar } from "./gathered_haar.ts";
import { imageAsKernel } from "./image_as_kernel.ts";
import { imageSum } from "./image_sum.ts";
import { stridedInputGradient } from "./strided_input_gradient.ts";
import { WINOGRAD, WINOGRAD_FILTER, WINOGRAD_GRADIENT } from "../winograd.ts";
import { winogradBuild, winogradConv2D, winogradFilter } from "./winograd.ts";
import { winogradGradient } from "./winograd_gradient.ts";

/** Forms by kernel for ONNX Runtime on the CPU, where it has its blocked layout. */
export const blockedForms: ReadonlyMap<string, Form> = new Map<string, Form>([
  ...blockedConvolutions,
  ["Conv2DBackpropFilter", blockedBackpropFilter],
  ["DepthwiseConv2dNativeBackpropFilter", blockedDepthwiseBackpropFilter],
  ["Haar", blockedHaar],
  ["InverseHaar", blockedInverseHaar],
  [scaledName("InverseHaar"), blockedInverseHaar],
  ["DepthToSpace", pixelRows],
  ["Mean", blockedReduction],
  ["Step", blockedSlope],
  ["Sum", blockedReduction],
  [SUM_OF_PRODUCTS, blockedSumOfProducts],
  [WINOGRAD, winogradConv2D],
  [fusedName(WINOGRAD), fused(winogradBuild)],
  [WINOGRAD_FILTER, winogradFilter],
  [WINOGRAD_GRADIENT, winogradGradient],
]);

/** Forms by kernel for OpenVINO. */
export const openvinoForms: ReadonlyMap<string, Form> = new Map<string, Form>([
  ["Conv2DBackpropInput", stridedInputGradient],
  ["Resample", depthwiseResample],
  ["Conv2DBackpropFilter", channelsLastFilterGradient],
  [scaledName("Conv2DBackpropFilter"), channelsLastFilterGradient],
  ["DepthwiseConv2dNativeBackpropFilter", imageAsKernel],
  [scaledName("DepthwiseConv2dNativeBackpropFilter"), imageAsKernel],
  ["LeakyReluGradient", lateSlope],
  ["Haar", gatheredHaar],
  ["InverseHaar", gatheredInverseHaar],
  ["Sum", imageSum],
  [WINOGRAD, winogradConv2D],
  [WINOGRAD_FILTER, winogradFilter],
  [WINOGRAD_GRADIENT, winogradGradient],
]);
