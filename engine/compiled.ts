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
} from "./engine.ts";
import { simplify } from "./passes/mod.ts";
import { phase } from "./phase.ts";
import { type Draw, printProgram, type Program, type Value } from "./program.ts";
import { record, type Recorded, type Traced } from "./record.ts";
import type { Rule } from "./rule.ts";
import {
  branchOf,
  hostLeaves,
  inputLeaves,
  isTensor,
  outlineOf,
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
  /** Whether they go on beside those of other programs. */
  readonly overlaps: boolean;
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

/** One set of input shapes: its simplified program, and what was compiled of it. */
interface Variant extends Recorded {
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
  { name, resident = [], lanes = 1, overlaps = false }: CompileOptions,
  forget: () => void,
): Compiled<ArrayTree, ArrayTree> {
  const variants = new Map<string, Variant>();
  const variantOf = (inputs: ArrayTree): Variant => {
    const list = inputLeaves(name, inputs);
    const key = list.map(({ path, leaf }) => `${path}[${leaf.shape}]`).join();
    let variant = variants.get(key);
    if (!variant) {
      variant = phase("trace", name, () => recordTwice(name, inputs, fn, runtime.rules));
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
      overlaps,
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
    outline: (inputs: ArrayTree) => outlineOf(name, variantOf(inputs).outputs),
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
function recordTwice(
  name: string,
  inputs: ArrayTree,
  fn: Traced,
  rules: readonly Rule[] | undefined,
): Recorded {
  const { program, outputs } = record(name, inputs, fn, rules);
  refuseFrozenRandomness(program, record(name, inputs, fn, rules).program);
  return { program: simplify(program), outputs };
}

function refuseFrozenRandomness(a: Program, b: Program): void {
  const differs = printProgram(a) !== printProgram(b) ||
    a.values.some(({ constant }, i) => constant && !sameNumbers(constant, b.values[i]!.constant));
  if (differs) {
    throw new Error(
      `Cannot compile "${a.name}": expected a pure function but two recordings differ; draw random tensors from step.random or as inputs, and keep no state outside`,
    );
  }
}

type Numbers = NonNullable<Value["constant"]>;

/** Whether constants hold the same numbers; they are as large as a network's weights: no calls. */
function sameNumbers(a: Numbers, b: Numbers | undefined): boolean {
  if (a === b) return true;
  if (a.length !== b?.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (!Object.is(a[i], b[i])) return false;
  }
  return true;
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
