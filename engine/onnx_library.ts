/**
 * ONNX Runtime's C library, called through Deno's foreign function interface. It is the one that the
 * package for Node.js brings, which itself computes on the program's own thread, one run after the
 * other.
 *
 * @module
 */
import { createRequire } from "node:module";
import type { HostArray } from "../core/contracts.ts";
import { bytesOf, pointersTo, text, textAt } from "./foreign.ts";

const P = "u64"; // a pointer
const BUFFER = "buffer";
const SIZE = "usize";

const API_VERSION = 13; // has all functions that are called here
const FATAL = 4; // OrtLoggingLevel; errors are thrown
const ALL = 99; // GraphOptimizationLevel
const FLOAT32 = 1; // ONNXTensorElementDataType
const ARENA = 1; // OrtAllocatorType
const DEFAULT_MEMORY = 0; // OrtMemType

/** Where it has been tried, on x86-64. */
const SYSTEMS: readonly string[] = ["linux"];

/** A compiled model, which may have several runs at a time. */
export interface OnnxSession {
  /** Reads `in0`, `in1`, ... and writes `out0`, ..., arrays that must not change meanwhile. */
  run(inputs: readonly HostArray[], outputs: readonly HostArray[]): Promise<void>;
  free(): void;
}

/** How a model is compiled. */
export interface OnnxSessionOptions {
  readonly threads: number;
  /** How many inputs it has. */
  readonly inputs: number;
  readonly outputs: number;
  /** ONNX Runtime's own settings by name. */
  readonly config: Readonly<Record<string, string>>;
}

/** The library, open. */
export interface OnnxLibrary {
  /** Compiles an ONNX model. */
  compile(model: Uint8Array<ArrayBuffer>, options: OnnxSessionOptions): Promise<OnnxSession>;
  close(): void;
}

/**
 * Opens the library that `onnxruntime-node`, which must have been imported, has loaded.
 *
 * @returns `undefined` on systems where this was never tried, or if native code may not be called.
 */
export function openOnnxLibrary(): OnnxLibrary | undefined {
  const path = SYSTEMS.includes(Deno.build.os) ? libraryPath() : undefined;
  if (!path) return undefined;
  try {
    return open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** It lies beside the addon of the package. */
function libraryPath(): string | undefined {
  const loaded = Object.keys(createRequire("file:///").cache);
  return loaded.find((path) => path.endsWith("/onnxruntime_binding.node"))
    ?.replace(/[^/]*$/, "libonnxruntime.so.1");
}

function open(path: string): OnnxLibrary {
  const library = Deno.dlopen(path, { OrtGetApiBase: { parameters: [], result: "pointer" } });
  const ort = functionsOf(library.symbols.OrtGetApiBase());

  /** Calls with room for one pointer, and gives the pointer. */
  const made = (call: (out: Uint8Array<ArrayBuffer>) => void) => {
    const out = new BigUint64Array(1);
    call(bytesOf(out));
    return out[0]!;
  };
  const environment = made((out) => ort.createEnv(FATAL, text("haarlem"), out));
  const memory = made((out) => ort.createCpuMemoryInfo(ARENA, DEFAULT_MEMORY, out));

  const optionsOf = ({ threads, config }: OnnxSessionOptions) => {
    const options = made((out) => ort.createSessionOptions(out));
    ort.setIntraOpNumThreads(options, threads);
    ort.setInterOpNumThreads(options, 1);
    ort.setSessionGraphOptimizationLevel(options, ALL);
    ort.setSessionLogSeverityLevel(options, FATAL);
    ort.disableMemPattern(options); // a second run would lay out all values anew beside the first one's
    for (const [name, value] of Object.entries(config)) {
      ort.addSessionConfigEntry(options, text(name), text(value));
    }
    return options;
  };
  const tensor = ({ shape, data }: HostArray) =>
    made((out) => {
      const sizes = bytesOf(BigInt64Array.from(shape, BigInt));
      const [bytes, rank] = [BigInt(data.byteLength), BigInt(shape.length)];
      ort.createTensorWithData(memory, bytesOf(data), bytes, sizes, rank, FLOAT32, out);
    });

  return {
    async compile(model, given) {
      const options = optionsOf(given);
      const out = new BigUint64Array(1);
      try {
        const size = BigInt(model.byteLength);
        await ort.createSession(environment, model, size, options, bytesOf(out));
      } finally {
        ort.releaseSessionOptions(options);
      }
      const [session] = out;
      const names = { in: namesOf("in", given.inputs), out: namesOf("out", given.outputs) };
      return {
        async run(inputs, outputs) {
          const arrays = [...inputs, ...outputs];
          const values = new BigUint64Array(arrays.length);
          try {
            arrays.forEach((array, i) => values[i] = tensor(array));
            const [given, written] = [
              values.subarray(0, inputs.length),
              values.subarray(inputs.length),
            ];
            await ort.run(
              session!,
              0n,
              names.in.array,
              bytesOf(given),
              BigInt(inputs.length),
              names.out.array,
              BigInt(outputs.length),
              bytesOf(written),
            );
          } finally {
            values.forEach(ort.releaseValue);
            arrays.length = 0; // were held until here
          }
        },
        free: () => ort.releaseSession(session!),
      };
    },
    close() {
      ort.releaseMemoryInfo(memory);
      ort.releaseEnv(environment);
      library.close();
    },
  };
}

const namesOf = (prefix: string, count: number) =>
  pointersTo(Array.from({ length: count }, (_, i) => `${prefix}${i}`));

/** The functions by their places in `OrtApi`, to which versions of the library add at its end only. */
function functionsOf(base: Deno.PointerValue) {
  const api = new Deno.UnsafePointerView(apiOf(base));
  const at = (place: number) => api.getPointer(place * 8) as Deno.PointerObject<never>;
  const release = (place: number) => {
    const pointer = new Deno.UnsafeFnPointer(at(place), { parameters: [P], result: "void" });
    return (address: bigint) => pointer.call(address);
  };
  const messageOf = new Deno.UnsafeFnPointer(at(2), { parameters: [P], result: P });
  const releaseStatus = release(93);
  const check = (status: bigint) => {
    if (status === 0n) return;
    const message = textAt(messageOf.call(status));
    releaseStatus(status);
    throw new Error(
      `Cannot use ONNX Runtime: expected success but received "${
        message.replaceAll(/\s+/g, " ").trim()
      }"`,
    );
  };
  const now = <const Parameters extends readonly Deno.NativeType[]>(
    place: number,
    ...parameters: Parameters
  ) => {
    const pointer = new Deno.UnsafeFnPointer(at(place), { parameters, result: P });
    return (...given: Deno.ToNativeParameterTypes<Parameters>) => check(pointer.call(...given));
  };
  const later = <const Parameters extends readonly Deno.NativeType[]>(
    place: number,
    ...parameters: Parameters
  ) => {
    const definition = { parameters, result: P, nonblocking: true } as const;
    const pointer = new Deno.UnsafeFnPointer(at(place), definition);
    return async (...given: Deno.ToNativeParameterTypes<Parameters>) =>
      check(await pointer.call(...given));
  };
  return {
    createEnv: now(3, "i32", BUFFER, BUFFER),
    createSession: later(8, P, BUFFER, SIZE, P, BUFFER),
    run: later(9, P, P, BUFFER, BUFFER, SIZE, BUFFER, SIZE, BUFFER),
    createSessionOptions: now(10, BUFFER),
    disableMemPattern: now(17, P),
    setSessionLogSeverityLevel: now(22, P, "i32"),
    setSessionGraphOptimizationLevel: now(23, P, "i32"),
    setIntraOpNumThreads: now(24, P, "i32"),
    setInterOpNumThreads: now(25, P, "i32"),
    createTensorWithData: now(49, P, BUFFER, SIZE, BUFFER, SIZE, "i32", BUFFER),
    createCpuMemoryInfo: now(69, "i32", "i32", BUFFER),
    addSessionConfigEntry: now(130, P, BUFFER, BUFFER),
    releaseEnv: release(92),
    releaseMemoryInfo: release(94),
    releaseSession: release(95),
    releaseValue: release(96),
    releaseSessionOptions: release(100),
  };
}

/** The table of functions, from `OrtApiBase`, whose first member gives it. */
function apiOf(base: Deno.PointerValue): Deno.PointerObject {
  const give = new Deno.UnsafePointerView(base!).getPointer() as Deno.PointerObject<never>;
  const definition = { parameters: ["u32"], result: "pointer" } as const;
  return new Deno.UnsafeFnPointer(give, definition).call(API_VERSION)!;
}
