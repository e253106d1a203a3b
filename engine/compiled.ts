/**
 * What the compiled engines share: a function is recorded per set of input shapes, simplified, and
 * opened by a runtime, which runs it on arrays.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../core/contracts.ts";
import type { Random } from "../core/random.ts";
import type {
  ArrayTree,
  Compiled,
  CompileOptions,
  Engine,
  EngineArray,
  RunOptions,
  StepContext,
  TensorTree,
} from "./engine.ts";
import { simplify } from "./passes/mod.ts";
import { phase } from "./phase.ts";
import { type Draw, printProgram, type Program } from "./program.ts";
import type { Rule } from "./rule.ts";
import { trace } from "./tracing.ts";
import {
  branchOf,
  hostLeaves,
  inputLeaves,
  isArray,
  isTensor,
  outputLeaves,
  rebuild,
} from "./tree.ts";

/** A program that a library has compiled. */
export interface Executable<In extends EngineArray = HostArray> {
  /** Runs it once, with inputs in the order of the program. */
  run(inputs: readonly In[]): Promise<readonly EngineArray[]>;
  /** Frees what the library holds. */
  release(): Promise<void>;
}

/** How a program is compiled. */
export interface OpenOptions {
  /** Of each output whether it stays on the device. */
  readonly resident: readonly boolean[];
  /** Runs that will be under way at the same time. */
  readonly lanes: number;
}

/** A library that compiles programs and runs them. */
export interface Runtime extends Pick<Engine, "name" | "device" | "threads" | "precision"> {
  readonly description: string;
  /** Rules of kernels besides the built-in ones. */
  readonly rules?: readonly Rule[];
  /** Whether its arrays may stay on a device; if not, it is given arrays of the host only. */
  readonly keepsResident?: boolean;
  /** How many runs of a program it can compute side by side; 1 if absent. */
  readonly lanes?: number;
  /** See {@linkcode Engine.largeBatches}; `whole` if absent. */
  readonly largeBatches?: Engine["largeBatches"];
  /** Compiles a program. */
  open(program: Program, options: OpenOptions): Promise<Executable<EngineArray>>;
  /** Frees what is left when all executables are released. */
  close(): void;
}

/** A function to trace, its types forgotten. */
type Traced = (inputs: TensorTree, context: StepContext) => TensorTree;

/** One set of input shapes: its program, what was compiled of it, and the form of its outputs. */
interface Variant {
  readonly program: Program;
  readonly outputs: TensorTree;
  executable?: Promise<Executable<EngineArray>>;
}

/** Makes the engine of a runtime. */
export function createCompiledEngine(runtime: Runtime): Engine {
  const { name, device, threads, precision, description, lanes = 1, largeBatches = "whole" } =
    runtime;
  const compiled = new Set<{ dispose(): Promise<void> }>();
  let closing: Promise<void> | undefined;
  const open: Runtime["open"] = (program, options) => {
    if (!closing) return runtime.open(program, options);
    throw new Error(
      `Cannot run "${program.name}": expected an open engine but it was disposed; make another by createEngine()`,
    );
  };
  const close = async () => {
    for (const each of [...compiled]) await each.dispose();
    runtime.close();
  };
  return {
    name,
    device,
    threads,
    precision,
    lanes,
    largeBatches,
    description,
    compile: ((fn: Traced, options: CompileOptions) => {
      const made: Compiled<ArrayTree, ArrayTree> = compile(
        { ...runtime, open },
        fn,
        options,
        () => {
          compiled.delete(made);
        },
      );
      compiled.add(made);
      return made;
    }) as unknown as Engine["compile"],
    dispose: () => closing ??= close(),
  };
}

function compile(
  runtime: Runtime,
  fn: Traced,
  { name, resident = [], lanes = 1 }: CompileOptions,
  forget: () => void,
): Compiled<ArrayTree, ArrayTree> {
  const variants = new Map<string, Variant>();
  const variantOf = (inputs: ArrayTree): Variant => {
    const list = inputLeaves(name, inputs);
    const key = list.map(({ path, leaf }) => `${path}[${leaf.shape}]`).join();
    let variant = variants.get(key);
    if (!variant) {
      variant = phase("trace", name, () => record(name, inputs, fn, runtime.rules));
      variants.set(key, variant);
    }
    return variant;
  };
  const executableOf = async (variant: Variant) =>
    await (variant.executable ??= runtime.open(variant.program, {
      resident: outputLeaves(name, variant.outputs).map(({ path }) =>
        resident.includes(branchOf(path))
      ),
      lanes: Math.min(lanes, runtime.lanes ?? 1),
    }));
  const arraysOf = runtime.keepsResident ? inputLeaves : hostLeaves;

  const run = async (inputs: ArrayTree, { random }: RunOptions = {}) => {
    const variant = variantOf(inputs);
    const executable = await executableOf(variant);
    const given = arraysOf(name, inputs).map(({ leaf }) => leaf);
    const results = await executable.run([...given, ...draw(variant.program, random)]);
    let next = 0;
    return rebuild<tf.Tensor, EngineArray>(variant.outputs, isTensor, () => results[next++]!);
  };
  return Object.assign(run, {
    prepare: async (inputs: ArrayTree) => void await executableOf(variantOf(inputs)),
    program: (inputs: ArrayTree) => variantOf(inputs).program,
    dispose: async () => {
      forget();
      for (const { executable } of variants.values()) {
        await (await executable?.catch(() => undefined))?.release(); // who ran it knows why it failed
      }
      variants.clear();
    },
  });
}

/** Records a function twice: what differs between the two would be frozen into the graph. */
function record(
  name: string,
  inputs: ArrayTree,
  fn: Traced,
  rules: readonly Rule[] | undefined,
): Variant {
  const shapes = inputLeaves(name, inputs).map(({ leaf }) => leaf.shape);
  let outputs: TensorTree | undefined;
  const once = () =>
    trace(name, shapes, (tensors, context) => {
      let next = 0;
      const tree = rebuild<EngineArray, tf.Tensor>(inputs, isArray, () => tensors[next++]!);
      outputs = fn(tree, context);
      return outputLeaves(name, outputs).map(({ leaf }) => leaf);
    }, rules);
  const program = once();
  refuseFrozenRandomness(program, once());
  return { program: simplify(program), outputs: outputs! };
}

function refuseFrozenRandomness(a: Program, b: Program): void {
  const differs = printProgram(a) !== printProgram(b) || a.values.some(({ constant }, i) => {
    const other = b.values[i]!.constant;
    return constant !== other && constant?.some((number, k) => !Object.is(number, other?.[k]));
  });
  if (differs) {
    throw new Error(
      `Cannot compile "${a.name}": expected a pure function but two recordings differ; draw random tensors from step.random or as inputs, and keep no state outside`,
    );
  }
}

/** Draws the random inputs of a run. */
function draw({ name, values, inputs, draws }: Program, random: Random | undefined): HostArray[] {
  if (draws.length && !random) {
    throw new TypeError(
      `Cannot run "${name}": expected the option "random" because the function draws random tensors but received none`,
    );
  }
  return draws.map(({ input, distribution, parameters }: Draw) => {
    const { shape } = values[inputs[input]!]!;
    return distribution === "normal"
      ? random!.normal(shape, parameters[0])
      : random!.uniform(shape, parameters[0]!, parameters[1]!);
  });
}
