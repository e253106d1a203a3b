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
export type EngineName = "onnx" | "tfjs";
/** Where tensors are computed. */
export type DeviceName = "cpu";

/** Nested records and lists with leaves of one type. */
export type Tree<Leaf> = Leaf | readonly Tree<Leaf>[] | { readonly [name: string]: Tree<Leaf> };

/** A tree of tensors as the same tree of arrays: inputs and outputs of a compiled function. */
export type ArraysOf<T> = T extends tf.Tensor ? HostArray
  : { readonly [Key in keyof T]: ArraysOf<T[Key]> };

/** What a compiled function takes and gives: tensors in nested records and lists. */
export type TensorTree = Tree<tf.Tensor>;
/** The same on the host. */
export type ArrayTree = Tree<HostArray>;

/** What a traced function is given besides its inputs. */
export interface StepContext {
  /** Random tensors, drawn on the host for every run from the `random` that the caller gives. */
  readonly random: GraphRandom;
}

/** Options of {@linkcode Engine.compile}. */
export interface CompileOptions {
  /** Names the function in errors, profiles and caches. */
  readonly name: string;
}

/** A function of arrays. The first call with new shapes traces and compiles; later calls run. */
export interface Compiled<In, Out> {
  (inputs: In, options?: { readonly random?: Random }): Promise<Out>;
  /** Compiles for these inputs without running. */
  prepare(inputs: In): Promise<void>;
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
  /** One line for reports: library, version, device. */
  readonly description: string;
  /**
   * Compiles a pure function. It must not read values, must not hold randomness of its own, and
   * depends on nothing but its inputs and constants.
   */
  compile<In, Out>(
    fn: (inputs: In, context: StepContext) => Out,
    options: CompileOptions,
  ): Compiled<ArraysOf<In>, ArraysOf<Out>>;
  /** Frees everything that was compiled. */
  dispose(): Promise<void>;
}
