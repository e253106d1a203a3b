/**
 * The compiled engine on ONNX Runtime.
 *
 * @module
 */
import type * as Ort from "onnxruntime-node";
import type { HostArray } from "../core/contracts.ts";
import { type Adapter, findAdapter } from "./adapter.ts";
import { findBlockSize } from "./block_size.ts";
import { createCompiledEngine, type Executable, type OpenOptions } from "./compiled.ts";
import { deviceError } from "./device_error.ts";
import type { DeviceName, Engine, EngineArray, ResidentArray } from "./engine.ts";
import { blockedOrder } from "./forms/blocked_haar.ts";
import { blockedForms } from "./forms/mod.ts";
import { nodeRules } from "./kernels/mod.ts";
import { lower } from "./lowering.ts";
import { foldHaar } from "./passes/fold_haar.ts";
import { foldScales } from "./passes/fold_scales.ts";
import { fuseConvolutions } from "./passes/fuse_convolutions.ts";
import { reorderBands } from "./passes/reorder_bands.ts";
import { scaleFilters } from "./passes/scale_filters.ts";
import { shareSlopes } from "./passes/share_slopes.ts";
import { sumProducts } from "./passes/sum_products.ts";
import {
  WINOGRAD_COSTS,
  winogradConvolutions,
  winogradGradients,
  winogradPays,
} from "./passes/winograd.ts";
import { phase } from "./phase.ts";
import { loadOrt, placeWords, probe } from "./onnx_device.ts";
import { openBound } from "./onnx_bound.ts";
import { openOnnxLibrary } from "./onnx_library.ts";
import { createDeviceReader } from "./onnx_reader.ts";
import { watchPlacement } from "./placement.ts";
import type { Program } from "./program.ts";
import { type Rule, sizeOf } from "./rule.ts";
import { isResidentArray } from "./tree.ts";

/** Options of {@linkcode createOnnxEngine}. */
export interface OnnxOptions {
  readonly threads: number;
  readonly device?: DeviceName;
  /** See `EngineOptions`. */
  readonly confined?: boolean | undefined;
  /** Called with what a run should know: which nodes the device does not compute. */
  readonly report?: ((line: string) => void) | undefined;
  /** Rules of kernels besides the built-in ones. */
  readonly rules?: readonly Rule[] | undefined;
}

const NO_SPIN = { "session.intra_op.allow_spinning": "0" };
/**
 * Threads wait awake for the next node, which saves their waking; but not longer, and not between runs,
 * as they starve whatever else runs on the machine (docs/performance.md).
 */
const SHORT_SPIN = {
  "session.force_spinning_stop": "1",
  "session.intra_op.allow_spinning": "1",
  "session.intra_op.spin_duration_us": "500",
};

const pays = winogradPays(WINOGRAD_COSTS.onnxruntime);

/** The rewrites that the forms of the blocked layout are made for. */
const forBlocks = (program: Program, block: number): Program => {
  const products = winogradGradients(winogradConvolutions(program, pays), pays);
  const bands = reorderBands(products, blockedOrder(block));
  return fuseConvolutions(scaleFilters(foldScales(foldHaar(sumProducts(shareSlopes(bands))))));
};

/** Makes the engine; the library is loaded here and not before. */
export async function createOnnxEngine(
  { threads, device = "cpu", confined = false, report, rules = [] }: OnnxOptions,
): Promise<Engine> {
  const kernels = nodeRules(rules);
  const ort = await loadOrt();
  const library = device === "cpu" && !confined ? openOnnxLibrary() : undefined;
  // The first session opens the device, and the last one closes it with every shader it compiled.
  const anchor = device === "cpu" ? undefined : await probe(device);
  const adapter = device === "webgpu" ? await findAdapter() : undefined;
  const where = placeWords(device, threads, adapter);

  const start = (
    model: Uint8Array<ArrayBuffer>,
    options: Ort.InferenceSession.SessionOptions = {},
  ) =>
    ort.InferenceSession.create(model, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
      // Its second run would lay out all values anew beside the memory of the first one.
      enableMemPattern: device !== "cpu",
      logSeverityLevel: device === "cpu" ? 3 : 4, // the rest is thrown, in words of ours
      ...device !== "cpu" && { executionProviders: [device] },
      extra: device === "cpu" ? SHORT_SPIN : NO_SPIN,
      ...options,
    });
  const replaced = rules.some(({ kernel }) => blockedForms.has(kernel));
  const block = device === "cpu" && !replaced ? await findBlockSize(ort, start) : 0;
  const model = (program: Program) =>
    block > 0
      ? lower(forBlocks(program, block), "onnxruntime", kernels, { forms: blockedForms, block })
      : lower(program, device === "webgpu" ? "webgpu" : "onnxruntime", kernels);
  const lowered = (program: Program) => phase("lower", program.name, () => model(program));
  const create = (program: Program, options: Ort.InferenceSession.SessionOptions) => {
    const bytes = lowered(program);
    return phase("open", program.name, () => start(bytes, options));
  };

  const reader = createDeviceReader((program) =>
    create(program, { preferredOutputLocation: "cpu" })
  );

  const open = async (
    program: Program,
    { resident }: OpenOptions,
  ): Promise<Executable<EngineArray>> => {
    const location = (i: number) => resident[i] && device === "webgpu" ? "gpu-buffer" : "cpu";
    const isTooLarge = adapter !== undefined && largestBytes(program) > bufferLimit(adapter);
    const task = { task: program.name, engine: "onnx", device, isTooLarge } as const;
    const guarded = async <T>(run: () => Promise<T>): Promise<T> => {
      try {
        return await run();
      } catch (error) {
        throw deviceError(error, task);
      }
    };
    let placement = report && device !== "cpu" ? await watchPlacement() : undefined;
    const session = await guarded(() =>
      create(program, {
        ...device === "webgpu" && {
          preferredOutputLocation: Object.fromEntries(
            program.outputs.map((_, i) => [`out${i}`, location(i)]),
          ),
        },
        ...placement?.options,
      })
    );
    return {
      async run(inputs) {
        const feeds = Object.fromEntries(
          inputs.map((array, i) => [`in${i}`, toTensor(ort, program.name, array)]),
        );
        const results = await guarded(() => session.run(feeds));
        if (placement) {
          report!(await placement.words(session, program.name, device));
          await placement.close();
          placement = undefined;
        }
        return program.outputs.map((_, i) => {
          const tensor = results[`out${i}`]!;
          return tensor.location === "gpu-buffer"
            ? new ResidentBuffer(tensor, () => guarded(() => reader.read(tensor)))
            : { shape: tensor.dims, data: tensor.data as Float32Array };
        });
      },
      release: async () => {
        await placement?.close();
        await session.release();
      },
    };
  };

  return createCompiledEngine({
    name: "onnx",
    device,
    threads,
    precision: "f32",
    description: `ONNX Runtime ${ort.env.versions.common} on ${where}`,
    keepsResident: device === "webgpu",
    lanes: library ? threads : 1,
    largeBatches: library ? "parts" : "whole",
    rules,
    open: library
      ? (program, options) =>
        openBound(library, program, lowered(program), {
          ...options,
          threads,
          config: SHORT_SPIN,
        })
      : open,
    close: () => {
      library?.close();
      reader.close();
      anchor?.release();
    },
  });
}

const bufferLimit = ({ maxBufferBytes, maxBindingBytes }: Adapter) =>
  Math.min(maxBufferBytes, maxBindingBytes);

const largestBytes = ({ values }: Program) =>
  values.reduce((most, { shape }) => Math.max(most, 4 * sizeOf(shape)), 0);

/** A buffer of the device that a session has left there. */
class ResidentBuffer implements ResidentArray {
  readonly shape: readonly number[];
  #tensor: Ort.Tensor | undefined;
  readonly #read: () => Promise<HostArray>;

  constructor(tensor: Ort.Tensor, read: () => Promise<HostArray>) {
    this.#tensor = tensor;
    this.shape = tensor.dims;
    this.#read = read;
  }
  get tensor(): Ort.Tensor {
    if (this.#tensor) return this.#tensor;
    throw new Error(
      `Cannot use an array [${this.shape}]: expected it on the device but it was disposed`,
    );
  }
  async read(): Promise<HostArray> {
    void this.tensor; // refuses what was disposed
    return await this.#read();
  }
  dispose(): void {
    this.#tensor?.dispose();
    this.#tensor = undefined;
  }
}

function toTensor(ort: typeof Ort, name: string, array: EngineArray): Ort.Tensor {
  if (array instanceof ResidentBuffer) return array.tensor;
  if (!isResidentArray(array)) return new ort.Tensor("float32", array.data, array.shape);
  throw new TypeError(
    `Cannot run "${name}": expected arrays of the host or of this engine but received one of another engine's device; await its read() first`,
  );
}
