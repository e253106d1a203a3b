/**
 * The contract of an engine: it takes pure functions of tensors and gives functions of arrays.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../core/contracts.ts";
import type { GraphRandom, Random } from "../core/random.ts";
import type { Program } from "./program.ts";

/** How tensors are computed. */
export type EngineName = "onnx" | "openvino" | "tfjs";
/** Where tensors are computed. */
export type DeviceName = "cpu" | "webgpu" | "cuda";
/**
 * What convolutions, matrix products and what stands between them compute in: float32, or bfloat16
 * with float32 sums. What is kept between steps, the optimiser and losses are float32 in both.
 */
export type PrecisionName = "f32" | "bf16";

/** Nested records and lists with leaves of one type. */
export type Tree<Leaf> = Leaf | readonly Tree<Leaf>[] | { readonly [name: string]: Tree<Leaf> };

/** An array that stays where it was computed: in the memory of a GPU, for instance. */
export interface ResidentArray {
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /**
   * Copies the numbers to the host.
   *
   * @throws {Error} If the array was disposed, or if its device is lost.
   */
  read(): Promise<HostArray>;
  /** Frees the memory; the array cannot be used again. */
  dispose(): void;
}

/** An array that an engine can be given: numbers on the host, or what the engine left on a device. */
export type EngineArray = HostArray | ResidentArray;

/** A tree of tensors as the same tree of arrays on the host. */
export type ArraysOf<T> = T extends tf.Tensor ? HostArray
  : { readonly [Key in keyof T]: ArraysOf<T[Key]> };

/** A tree of tensors as the same tree of arrays, wherever they are: inputs of a compiled function. */
export type InputsOf<T> = T extends tf.Tensor ? EngineArray
  : { readonly [Key in keyof T]: InputsOf<T[Key]> };

/** Outputs of a compiled function: those that were asked to stay resident may lie on a device. */
export type OutputsOf<T, Resident extends PropertyKey = never> = T extends tf.Tensor ? HostArray
  : { readonly [Key in keyof T]: Key extends Resident ? InputsOf<T[Key]> : ArraysOf<T[Key]> };

/** What a compiled function takes and gives: tensors in nested records and lists. */
export type TensorTree = Tree<tf.Tensor>;
/** The same as arrays. */
export type ArrayTree = Tree<EngineArray>;

/** What a traced function is given besides its inputs. */
export interface StepContext {
  /** Random tensors, drawn on the host for every run from the `random` that the caller gives. */
  readonly random: GraphRandom;
}

/** Options of {@linkcode Engine.compile}. */
export interface CompileOptions<Resident extends PropertyKey = string> {
  /** Names the function in errors, profiles and caches. */
  readonly name: string;
  /**
   * Names of outputs that stay on the device, to be fed to the next run. They are read on demand
   * and disposed by the caller. Engines that compute on the host give arrays of the host, into which
   * they may write again once `disposeArrays` was called on them.
   */
  readonly resident?: readonly Resident[];
  /**
   * Runs that will be under way at the same time, 1 if absent: each then computes on its share of the
   * threads. At most {@linkcode Engine.lanes}; more wait for those before them.
   */
  readonly lanes?: number;
  /** Whether runs go on beside those of other functions: then lanes are not bound to cores. */
  readonly overlaps?: boolean;
}

/** Options of one run of a compiled function. */
export interface RunOptions {
  /** Draws the random tensors of the function. */
  readonly random?: Random;
}

/**
 * A function of arrays, which must not change until it has answered. The first call with new shapes
 * traces and compiles; later calls run.
 */
export interface Compiled<In, Out> {
  (inputs: In, options?: RunOptions): Promise<Out>;
  /** Compiles for these inputs without running. */
  prepare(inputs: In): Promise<void>;
  /** Zeros of the shapes that it gives for these inputs: enough to prepare what is fed with them. */
  outline(inputs: In): Out;
  /** The recorded and simplified program for these inputs. */
  program(inputs: In): Program;
  /** Frees sessions and caches. */
  dispose(): Promise<void>;
}

/** Computes tensors. Make one with `createEngine`. */
export interface Engine {
  /** As it is chosen. */
  readonly name: EngineName;
  /** Where it computes. */
  readonly device: DeviceName;
  /** How many threads compute. */
  readonly threads: number;
  /** What convolutions and matrix products compute in. */
  readonly precision: PrecisionName;
  /** How many runs of one function it can compute side by side; 1: one after the other. */
  readonly lanes: number;
  /**
   * How it is fastest with batches of many pixels: whole, in parts of some images, or image by image
   * where the images themselves are large.
   */
  readonly largeBatches: "whole" | "parts" | "images";
  /** One line for reports: library, version, device. */
  readonly description: string;
  /**
   * Compiles a pure function. It must not read values, must not hold randomness of its own, and
   * depends on nothing but its inputs and constants.
   */
  compile<In, Out, const Resident extends PropertyKey = never>(
    fn: (inputs: In, context: StepContext) => Out,
    options: CompileOptions<Resident>,
  ): Compiled<InputsOf<In>, OutputsOf<Out, Resident>>;
  /** Frees everything that was compiled. */
  dispose(): Promise<void>;
}
