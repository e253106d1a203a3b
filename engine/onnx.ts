/**
 * The compiled engine on ONNX Runtime.
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
  StepContext,
  TensorTree,
} from "./engine.ts";
import { kernelRules } from "./kernels/mod.ts";
import { lower } from "./lowering.ts";
import { simplify } from "./passes/mod.ts";
import { type Draw, printProgram, type Program } from "./program.ts";
import { trace } from "./tracing.ts";
import { inputLeaves, isHostArray, isTensor, outputLeaves, rebuild } from "./tree.ts";

type Ort = typeof import("onnxruntime-node");
type Session = Awaited<ReturnType<Ort["InferenceSession"]["create"]>>;

const RULES = new Map(kernelRules.map((rule) => [rule.kernel, rule]));

/** A function to trace, its types forgotten. */
type Traced = (inputs: TensorTree, context: StepContext) => TensorTree;

/** One set of input shapes: its program, its session, and the form of its outputs. */
interface Variant {
  readonly program: Program;
  readonly outputs: TensorTree;
  session?: Promise<Session>;
}

/** Makes the engine; the library is loaded here and not before. */
export async function createOnnxEngine(threads: number): Promise<Engine> {
  const ort = await import("onnxruntime-node");
  const compiled = new Set<{ dispose(): Promise<void> }>();

  const open = (program: Program): Promise<Session> =>
    ort.InferenceSession.create(lower(program, "onnxruntime", RULES), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      // Spinning threads starve whatever else runs on the machine (docs/performance.md).
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    });

  const compile = (fn: Traced, { name }: CompileOptions): Compiled<ArrayTree, ArrayTree> => {
    const variants = new Map<string, Variant>();
    const variantOf = (inputs: ArrayTree): Variant => {
      const list = inputLeaves(name, inputs);
      const key = list.map(({ path, leaf }) => `${path}[${leaf.shape}]`).join();
      let variant = variants.get(key);
      if (!variant) variants.set(key, variant = record(name, inputs, fn));
      return variant;
    };
    const sessionOf = (variant: Variant) => variant.session ??= open(variant.program);

    const run = async (inputs: ArrayTree, options: { readonly random?: Random } = {}) => {
      const variant = variantOf(inputs);
      const session = await sessionOf(variant);
      const { program } = variant;
      const given = inputLeaves(name, inputs).map(({ leaf }) => leaf);
      const arrays = [...given, ...draw(program, options.random)];
      const feeds = Object.fromEntries(
        arrays.map(({ shape, data }, i) => [`in${i}`, new ort.Tensor("float32", data, shape)]),
      );
      const results = await session.run(feeds);
      let next = 0;
      return rebuild<tf.Tensor, HostArray>(variant.outputs, isTensor, () => {
        const { dims, data } = results[`out${next++}`]!;
        return { shape: dims, data: data as Float32Array };
      });
    };
    const made: Compiled<ArrayTree, ArrayTree> = Object.assign(run, {
      prepare: async (inputs: ArrayTree) => void await sessionOf(variantOf(inputs)),
      program: (inputs: ArrayTree) => variantOf(inputs).program,
      dispose: async () => {
        compiled.delete(made);
        for (const { session } of variants.values()) await (await session)?.release();
        variants.clear();
      },
    });
    compiled.add(made);
    return made;
  };

  return {
    name: "onnx",
    device: "cpu",
    threads,
    description: `ONNX Runtime ${ort.env.versions.common} on the CPU, ${threads} threads`,
    compile: compile as Engine["compile"],
    dispose: async () => {
      for (const each of [...compiled]) await each.dispose();
    },
  };
}

/** Records a function twice: what differs between the two would be frozen into the graph. */
function record(name: string, inputs: ArrayTree, fn: Traced): Variant {
  const shapes = inputLeaves(name, inputs).map(({ leaf }) => leaf.shape);
  let outputs: TensorTree | undefined;
  const once = () =>
    trace(name, shapes, (tensors, context) => {
      let next = 0;
      const tree = rebuild<HostArray, tf.Tensor>(inputs, isHostArray, () => tensors[next++]!);
      outputs = fn(tree, context);
      return outputLeaves(name, outputs).map(({ leaf }) => leaf);
    });
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
