/**
 * What parts, losses and metrics are: values with a name, validated options and pure functions of
 * tensors. Everything built in, and everything a plugin adds, fills one of these contracts.
 *
 * Conventions: tensors are NHWC and float32; images lie in [-1, 1]; `w` is `[N,D]` (one style for
 * all layers) or `[N,L,D]` (one per layer, W+).
 *
 * @module
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type * as tf from "@tensorflow/tfjs";
import type { GraphRandom, Random } from "./random.ts";

/** Numbers on the host, row-major float32. Never changed once made. */
export interface HostArray {
  /** Length of every axis. */
  readonly shape: readonly number[];
  /** The numbers, last axis fastest. */
  readonly data: Float32Array;
}

/** Named weights on the host, as in a checkpoint: dotted names, no nesting. */
export type Weights<Name extends string = string> = Readonly<Record<Name, HostArray>>;

/**
 * The same weights as tensors, as a part's functions receive them. Of any rank, so that an author
 * can pass a weight to `tf.conv2d` without a cast.
 */
// deno-lint-ignore no-explicit-any -- tfjs's own way to say "of any rank" accepts no specific rank
export type Params<Name extends string = string> = Readonly<Record<Name, tf.Tensor<any>>>;

/** A schema of options; zod, valibot and arktype all make these. */
export type OptionsSchema = StandardSchemaV1;
/** Options after validation, with defaults filled in. */
export type OptionsOf<Schema extends OptionsSchema> = StandardSchemaV1.InferOutput<Schema>;

/** What every registered value says of itself. */
export interface Described<Name extends string, Schema extends OptionsSchema> {
  /** Name in configs and checkpoints: equal to the file's name, or `plugin/name`. */
  readonly name: Name;
  /** One line for `haarlem list`. */
  readonly summary: string;
  /** Where the formula comes from: paper and equation, or file of the reference. */
  readonly source: string;
  /** What its options may be, with a default for each. */
  readonly options: Schema;
}

/** Multiply-adds of one image through a part, by the convention of `metrics/cost.ts`. */
export interface MultiplyAdds {
  /** Convolutions and matrix products over the image grid. */
  readonly convolution: number;
  /** Linear layers from the style to the channels. */
  readonly style?: number;
  /** Fixed filters (FIR). */
  readonly filter?: number;
}

/** Doubles the size of a feature map: `[N,H,W,C]` to `[N,2H,2W,outChannels(C)]`. */
export interface Upscale<
  Name extends string = string,
  Schema extends OptionsSchema = OptionsSchema,
  Weight extends string = string,
> extends Described<Name, Schema> {
  /** Tells the kinds apart. */
  readonly kind: "upscale";
  /** Weights that are saved but not trained. */
  readonly buffers?: readonly NoInfer<Weight>[];
  /** Channels of the output for `channels` of the input. */
  outChannels(channels: number, options: OptionsOf<Schema>): number;
  /** Makes the initial weights. */
  init(
    dims: { readonly channels: number; readonly styleDim: number },
    random: Random,
    options: OptionsOf<Schema>,
  ): Weights<Weight>;
  /** `x [N,H,W,C]`, `style [N,D]` -> `[N,2H,2W,outChannels(C)]`. */
  apply(
    params: Params<Weight>,
    inputs: { readonly x: tf.Tensor4D; readonly style: tf.Tensor2D },
    options: OptionsOf<Schema>,
  ): tf.Tensor4D;
  /** What one image costs; `sizePx` is the side of the output. Absent: not counted. */
  multiplyAdds?(
    dims: { readonly channels: number; readonly styleDim: number; readonly sizePx: number },
    options: OptionsOf<Schema>,
  ): MultiplyAdds;
}

/** Computes the demodulation factors of a convolution. */
export interface Demodulation<
  Name extends string = string,
  Schema extends OptionsSchema = OptionsSchema,
  Weight extends string = string,
> extends Described<Name, Schema> {
  /** Tells the kinds apart. */
  readonly kind: "demodulation";
  /** Weights that are saved but not trained. */
  readonly buffers?: readonly NoInfer<Weight>[];
  /** Makes the initial weights. */
  init(
    dims: { readonly inChannels: number },
    random: Random,
    options: OptionsOf<Schema>,
  ): Weights<Weight>;
  /**
   * `energy [Cin,Cout]`: sum over taps of the squared kernel, run-time scale included;
   * `modulation [N,Cin]`: the style coefficients. Gives `[1 or N,Cout]`, the factor of every output
   * channel; a first axis of 1 says that it does not depend on the style and is fused at export.
   */
  apply(
    params: Params<Weight>,
    inputs: { readonly energy: tf.Tensor2D; readonly modulation: tf.Tensor2D },
    options: OptionsOf<Schema>,
  ): tf.Tensor2D;
}

/** The demodulation that a convolution is given: bound to its own weights and options. */
export type Demodulate = (
  inputs: { readonly energy: tf.Tensor2D; readonly modulation: tf.Tensor2D },
) => tf.Tensor2D;

/** A styled convolution layer: modulation, convolution, demodulation, noise, bias, activation. */
export interface Conv<
  Name extends string = string,
  Schema extends OptionsSchema = OptionsSchema,
  Weight extends string = string,
> extends Described<Name, Schema> {
  /** Tells the kinds apart. */
  readonly kind: "conv";
  /** Weights that are saved but not trained. */
  readonly buffers?: readonly NoInfer<Weight>[];
  /** Makes the initial weights. */
  init(
    dims: { readonly inChannels: number; readonly outChannels: number; readonly styleDim: number },
    random: Random,
    options: OptionsOf<Schema>,
  ): Weights<Weight>;
  /**
   * `x [N,H,W,Cin]`, `style [N,D]`, `noise [1 or N,H,W,1]` -> `[N,H,W,Cout]`.
   * Without `demodulation` the factors are already in the weights (see `fuse`).
   */
  apply(
    params: Params<Weight>,
    inputs: {
      readonly x: tf.Tensor4D;
      readonly style: tf.Tensor2D;
      readonly noise: tf.Tensor4D;
      readonly demodulation?: Demodulate | undefined;
    },
    options: OptionsOf<Schema>,
  ): tf.Tensor4D;
  /**
   * Merges constant factors `[1,Cout]` into the weights, so that `apply` without `demodulation`
   * gives the same result. Absent: this convolution cannot be fused.
   */
  fuse?(
    params: Params<Weight>,
    inputs: { readonly demodulation: Demodulate },
    options: OptionsOf<Schema>,
  ): Params<Weight>;
  /** What one image costs. Absent: not counted. */
  multiplyAdds?(
    dims: {
      readonly inChannels: number;
      readonly outChannels: number;
      readonly styleDim: number;
      readonly sizePx: number;
    },
    options: OptionsOf<Schema>,
  ): MultiplyAdds;
}

/** Predicts the 12 wavelet bands (LL of R, G, B; then LH, HL, HH of each) of an image. */
export interface Head<
  Name extends string = string,
  Schema extends OptionsSchema = OptionsSchema,
  Weight extends string = string,
> extends Described<Name, Schema> {
  /** Tells the kinds apart. */
  readonly kind: "head";
  /** Weights that are saved but not trained. */
  readonly buffers?: readonly NoInfer<Weight>[];
  /** Whether the output of a scale needs the scale below it: then no head is auxiliary. */
  readonly usesPrevious: boolean;
  /** Makes the initial weights. */
  init(
    dims: { readonly channels: number; readonly styleDim: number },
    random: Random,
    options: OptionsOf<Schema>,
  ): Weights<Weight>;
  /** `x [N,H,W,C]`, `style [N,D]`, `previous [N,H/2,W/2,12]` -> bands `[N,H,W,12]`. */
  apply(
    params: Params<Weight>,
    inputs: {
      readonly x: tf.Tensor4D;
      readonly style: tf.Tensor2D;
      readonly previous?: tf.Tensor4D | undefined;
    },
    options: OptionsOf<Schema>,
  ): tf.Tensor4D;
  /** What one image costs. Absent: not counted. */
  multiplyAdds?(
    dims: { readonly channels: number; readonly styleDim: number; readonly sizePx: number },
    options: OptionsOf<Schema>,
  ): MultiplyAdds;
}

/** One scale of the pyramid that a distillation step compares. Images in [-1, 1]. */
export interface Scale {
  /** `[N,S,S,3]` */
  readonly studentImage: tf.Tensor4D;
  /** `[N,S,S,3]` */
  readonly teacherImage: tf.Tensor4D;
  /** `[N,S/2,S/2,12]` */
  readonly studentBands: tf.Tensor4D;
  /** `[N,S/2,S/2,12]` */
  readonly teacherBands: tf.Tensor4D;
}

/** What a loss can see of a step. The functions are traced only when they are called. */
export interface LossStep {
  /** Coarsest first, the full image last. */
  readonly scales: readonly Scale[];
  /** `[N,D]` or `[N,L,D]`: the styles of this batch. */
  readonly w: tf.Tensor;
  /** Noise maps `[1 or N,r,r,1]`, in the order of the generator's layers. */
  readonly noise: readonly tf.Tensor4D[];
  /** Random tensors, drawn on the host and fed to the graph. The only randomness that traces. */
  readonly random: GraphRandom;
  /** The student's final image for other styles. */
  runStudent(w: tf.Tensor): tf.Tensor4D;
  /** The teacher's final image for other styles. */
  runTeacher(w: tf.Tensor): tf.Tensor4D;
  /** Feature maps of an image by the configured frozen network, each `[N,h,w,c]`. */
  features(image: tf.Tensor4D): tf.Tensor4D[];
  /** The training discriminator's logits `[N,1]`. */
  discriminate(image: tf.Tensor4D): tf.Tensor2D;
  /** What the loss's `prepare` gave, as tensors; absent if it has none. */
  readonly constants?: Params;
}

/** What a loss can compute with before the first step. */
export interface LossContext {
  /** Side of the images in pixels. */
  readonly sizePx: number;
  /** The teacher's images `[N,S,S,3]` of some seeds, which training does not draw. */
  teacherImages(seeds: readonly number[]): Promise<HostArray>;
}

/** A term of the objective. */
export interface Loss<Name extends string = string, Schema extends OptionsSchema = OptionsSchema>
  extends Described<Name, Schema> {
  /** Tells the kinds apart. */
  readonly kind: "loss";
  /** What the term asks of the run, so that it can be refused before the first step. */
  readonly needs?: {
    /** Calls `discriminate`: the run must train a discriminator. */
    readonly discriminator?: boolean;
    /** Calls `features`: the run must name a feature network. */
    readonly features?: boolean;
  };
  /**
   * Whether the term is a mean over the images of what each of them gives by itself, the discriminator's
   * groups aside. Then parts of a batch may be computed side by side; else the batch stays whole.
   */
  readonly perImage?: boolean;
  /** Applied on every n-th step only, n times as strong (lazy regularisation). */
  readonly every?: number;
  /** kimg at which the term starts. A config's `from` wins. */
  readonly from?: number;
  /** Computes constants once, before the first step; the step holds them as `constants`. */
  prepare?(context: LossContext, options: OptionsOf<Schema>): Promise<Weights>;
  /** The term of the student's (generator's) objective: a scalar. */
  student?(step: LossStep, options: OptionsOf<Schema>): tf.Scalar;
  /** The term of the discriminator's objective: a scalar. */
  discriminator?(step: LossStep, options: OptionsOf<Schema>): tf.Scalar;
}

/** A measure of images or of a network; filled in by `metrics/`. */
export interface Metric<
  Name extends string = string,
  Schema extends OptionsSchema = OptionsSchema,
> extends Described<Name, Schema> {
  /** Tells the kinds apart. */
  readonly kind: "metric";
  /** Measures: numbers by name. */
  // deno-lint-ignore no-explicit-any -- each metric has its own inputs; `pipelines/evaluate.ts` knows them
  compute(inputs: any, options: OptionsOf<Schema>): Promise<Readonly<Record<string, number>>>;
}

/* `any` below is what TypeScript offers for "of some options type": with `OptionsSchema` in its place
 * a registry of parts of any kind is no `PartSource`, as the options of a choice are then `unknown`.
 * Nothing is called through it without validation by the registry. */
/** Any upsampling part. */
// deno-lint-ignore no-explicit-any
export type AnyUpscale = Upscale<string, any, any>;
/** Any demodulation. */
// deno-lint-ignore no-explicit-any
export type AnyDemodulation = Demodulation<string, any, any>;
/** Any convolution. */
// deno-lint-ignore no-explicit-any
export type AnyConv = Conv<string, any, any>;
/** Any head. */
// deno-lint-ignore no-explicit-any
export type AnyHead = Head<string, any, any>;
/** Any loss. */
// deno-lint-ignore no-explicit-any
export type AnyLoss = Loss<string, any>;
/** Any metric. */
// deno-lint-ignore no-explicit-any
export type AnyMetric = Metric<string, any>;

/** Everything that can be registered, by kind. */
export interface PartKinds {
  /** Upsampling parts. */
  upscale: AnyUpscale;
  /** Convolutions. */
  conv: AnyConv;
  /** Demodulations. */
  demodulation: AnyDemodulation;
  /** Heads. */
  head: AnyHead;
  /** Losses. */
  loss: AnyLoss;
  /** Metrics. */
  metric: AnyMetric;
}
/** The kinds of the registry. */
export type PartKind = keyof PartKinds;

/** A set of parts under one name. The built-in ones are a plugin too. */
export interface Plugin {
  /** Lower-case letters, digits, `_` and `-`; names of its parts start with it and a slash. */
  readonly name: string;
  /** For reports and errors. */
  readonly version?: string;
  /** Upsampling parts. */
  readonly upscales?: readonly AnyUpscale[];
  /** Convolutions. */
  readonly convs?: readonly AnyConv[];
  /** Demodulations. */
  readonly demodulations?: readonly AnyDemodulation[];
  /** Heads. */
  readonly heads?: readonly AnyHead[];
  /** Losses. */
  readonly losses?: readonly AnyLoss[];
  /** Metrics. */
  readonly metrics?: readonly AnyMetric[];
}

/** A part by name with its options, as in a config. */
export interface PartChoice<Name extends string = string> {
  /** Name of the part. */
  readonly name: Name;
  /** Its options; what is absent has its default. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Looks a part up by kind and name; what networks need of a registry. */
export interface PartSource {
  /** The part and its validated options. Throws a `RangeError` that lists the known names. */
  resolve<Kind extends PartKind>(
    kind: Kind,
    choice: PartChoice,
  ): { readonly part: PartKinds[Kind]; readonly options: unknown };
}
