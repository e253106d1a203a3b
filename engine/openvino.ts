/**
 * The compiled engine on OpenVINO: the fastest on a CPU where it is installed. Inputs and outputs
 * are bound to our own memory and not copied.
 *
 * @module
 */
import { cpus } from "node:os";
import type { HostArray } from "../core/contracts.ts";
import { boundExecutable } from "./bound_executable.ts";
import { createCompiledEngine, type Executable, type OpenOptions } from "./compiled.ts";
import { earlyValues } from "./early_values.ts";
import type { Engine, PrecisionName } from "./engine.ts";
import { gatheredOrder } from "./forms/gathered_haar.ts";
import { openvinoForms } from "./forms/mod.ts";
import { nodeRules } from "./kernels/mod.ts";
import { lower } from "./lowering.ts";
import { openOpenvino, type OpenvinoModel, type Sharing } from "./openvino_library.ts";
import { phase } from "./phase.ts";
import { endTails } from "./passes/end_tails.ts";
import { foldHaar } from "./passes/fold_haar.ts";
import { foldScales } from "./passes/fold_scales.ts";
import { lateScales } from "./passes/late_scales.ts";
import { ownOperands } from "./passes/own_operands.ts";
import { reorderBands } from "./passes/reorder_bands.ts";
import { slopesOfResults } from "./passes/slopes_of_results.ts";
import { splitSums } from "./passes/split_sums.ts";
import { tileBatches } from "./passes/tile_batches.ts";
import { sumsOfFilters } from "./passes/sums_of_filters.ts";
import {
  WINOGRAD_COSTS,
  winogradConvolutions,
  winogradGradients,
  winogradPays,
} from "./passes/winograd.ts";
import type { Program } from "./program.ts";
import type { Rule } from "./rule.ts";
import { threadWords } from "./thread_words.ts";

/** Kernels that the rewrites put others in the place of. */
const FOLDED = [
  "Conv2D",
  "Conv2DBackpropFilter",
  "Conv2DBackpropInput",
  "DepthToSpace",
  "DepthwiseConv2dNativeBackpropFilter",
  "InverseHaar",
];

const pays = winogradPays(WINOGRAD_COSTS.openvino);

/** Options of {@linkcode createOpenvinoEngine}. */
export interface OpenvinoOptions {
  readonly threads: number;
  readonly precision: PrecisionName;
  /** The C library. */
  readonly library: string;
  /** A folder for compiled models, found again by their content; absent: none are kept. */
  readonly cache: string | undefined;
  /** Rules of kernels besides the built-in ones. */
  readonly rules?: readonly Rule[] | undefined;
}

/**
 * Makes the engine.
 *
 * @throws {RangeError} If bfloat16 is asked of a CPU that has none.
 */
export function createOpenvinoEngine(
  { threads, precision, library, cache, rules = [] }: OpenvinoOptions,
): Engine {
  const kernels = nodeRules(rules);
  const own = new Set(rules.map(({ kernel }) => kernel)); // a caller's rule goes before our form
  const folds = !FOLDED.some(own.has, own); // a caller's rule must see its kernel
  const rewrite = (given: Program) => {
    const tiles = tileBatches(
      slopesOfResults(folds ? reorderBands(given, gatheredOrder) : given),
      precision === "bf16" ? 2 : 4,
    );
    // In bf16 the transforms would lose more digits than there are.
    const exact = precision === "f32" && folds;
    const program = splitSums(exact ? winogradConvolutions(tiles, pays) : tiles);
    const folded = folds ? sumsOfFilters(lateScales(foldScales(foldHaar(program)))) : program;
    const done = exact ? winogradGradients(folded, pays) : folded;
    return ownOperands(precision === "bf16" ? endTails(done) : done);
  };
  const forms = new Map([...openvinoForms].filter(([kernel]) => !own.has(kernel)));
  const hasAllCores = threads === coresOfMachine();
  const propertiesOf = ({ lanes, overlaps }: Sharing) => ({
    INFERENCE_PRECISION_HINT: precision, // OpenVINO's own choice is bf16 wherever it can
    INFERENCE_NUM_THREADS: String(threads),
    PERFORMANCE_HINT: "LATENCY",
    NUM_STREAMS: String(lanes),
    // Threads that share a run starve when another job has the core to which one is pinned. Lanes that
    // are not pinned begin on one core now and then, and one waits for the scheduler's next look; those of
    // two models that run beside each other may be pinned to the same core.
    ENABLE_CPU_PINNING: lanes > 1 && hasAllCores && !overlaps ? "YES" : "NO",
    ...cache !== undefined && { CACHE_DIR: cache },
  });
  const openvino = openOpenvino(library, propertiesOf, threads);
  if (precision === "bf16" && !openvino.capabilities.includes("BF16")) {
    openvino.close();
    throw new RangeError(
      `Cannot create the engine "openvino": expected precision "f32" but received "bf16", which this CPU has no instructions for (OpenVINO says ${
        openvino.capabilities.join(", ")
      })`,
    );
  }

  let addressOf = openvino.addressOf; // until an OpenVINO has refused them
  const compile = async (
    name: string,
    program: Program,
    sharing: Sharing,
  ): Promise<OpenvinoModel> => {
    const early = earlyValues(program);
    const held: Uint8Array[] = [];
    const hold = addressOf && ((data: Uint8Array) => {
      held.push(data);
      return openvino.addressOf!(data);
    });
    const options = { forms, early, ...hold && { addressOf: hold } };
    const bytes = phase("lower", name, () => lower(program, "openvino", kernels, options));
    try {
      return await phase("open", name, () => openvino.compile(bytes, sharing));
    } catch (error) {
      if (held.length === 0) throw error;
      addressOf = null; // the arrays were alive until here
      return await compile(name, program, sharing);
    }
  };

  const open = async (program: Program, options: OpenOptions): Promise<Executable> => {
    const model = await compile(program.name, rewrite(program), options);
    const read = program.inputs.map((_, i) => model.reads(`in${i}`));
    return boundExecutable(program, options, {
      infer: (lane, inputs, outputs) =>
        model.infer(
          lane,
          named("in", inputs, (i) => read[i]!),
          named("out", outputs, () => true),
        ),
      free: model.free,
    });
  };

  return createCompiledEngine({
    name: "openvino",
    device: "cpu",
    threads,
    precision,
    lanes: threads,
    largeBatches: "images",
    description: `OpenVINO ${openvino.version} on the CPU, ${threadWords(threads)}, ${precision}`,
    rules,
    open,
    close: openvino.close,
  });
}

/**
 * The cores of the whole machine, whatever share of them this process may use; `undefined` where it may
 * not ask.
 */
function coresOfMachine(): number | undefined {
  try {
    return cpus().length;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** Arrays under the names that the lowering gives them; some are left out. */
function named(
  prefix: string,
  arrays: readonly HostArray[],
  wanted: (i: number) => boolean,
): Record<string, HostArray> {
  return Object.fromEntries(
    arrays.flatMap((array, i) => wanted(i) ? [[`${prefix}${i}`, array] as const] : []),
  );
}
