/**
 * OpenVINO's C library, called through Deno's foreign function interface.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import { addressOf, bytesOf, pointersTo, text, textAt } from "./foreign.ts";

// Numbers instead of Deno's pointers, whose use needs the permission that the command line gives up
// before it loads plugins; the calls themselves do not.
const P = "u64";
const BUFFER = "buffer";
const SIZE = "usize";
const STATUS = "i32";
const SHAPE = { struct: ["i64", "pointer"] } as const; // ov_shape_t { rank, dims }

const SYMBOLS = {
  ov_get_last_err_msg: { parameters: [], result: P },
  ov_get_openvino_version: { parameters: [BUFFER], result: STATUS },
  ov_version_free: { parameters: [BUFFER], result: "void" },
  ov_free: { parameters: [P], result: "void" },
  ov_core_create: { parameters: [BUFFER], result: STATUS },
  ov_core_free: { parameters: [P], result: "void" },
  ov_core_get_property: { parameters: [P, BUFFER, BUFFER, BUFFER], result: STATUS },
  ov_core_read_model_from_memory_buffer: {
    parameters: [P, BUFFER, SIZE, P, BUFFER],
    result: STATUS,
    nonblocking: true,
  },
  // The call without variadic arguments, which FFI cannot pass.
  ov_core_compile_model_props: {
    parameters: [P, P, BUFFER, SIZE, BUFFER, BUFFER],
    result: STATUS,
    nonblocking: true,
  },
  ov_model_free: { parameters: [P], result: "void" },
  ov_compiled_model_free: { parameters: [P], result: "void" },
  ov_compiled_model_create_infer_request: { parameters: [P, BUFFER], result: STATUS },
  ov_infer_request_free: { parameters: [P], result: "void" },
  ov_compiled_model_input_by_name: { parameters: [P, BUFFER, BUFFER], result: STATUS },
  ov_output_const_port_free: { parameters: [P], result: "void" },
  ov_infer_request_set_tensor: { parameters: [P, BUFFER, P], result: STATUS },
  ov_infer_request_infer: { parameters: [P], result: STATUS, nonblocking: true },
  ov_tensor_create_from_host_ptr: {
    parameters: [STATUS, SHAPE, BUFFER, BUFFER],
    result: STATUS,
  },
  ov_tensor_free: { parameters: [P], result: "void" },
  // Of the C library, which is found through this one: the address of what it is given.
  memmove: { parameters: [BUFFER, BUFFER, SIZE], result: P, optional: true },
} as const;

const MAX_RANK = 16; // more than any tensor here has
const COPIED = 2 ** 14; // most numbers of an array that is sooner copied than bound
const FLOAT32 = 4; // ov_element_type_e: F32

/** A compiled model with an infer request per lane; its inputs and outputs live in our memory. */
export interface OpenvinoModel {
  /** Whether the model has an input of that name: one that nothing reads is dropped. */
  reads(name: string): boolean;
  /**
   * Runs on arrays by name: reads inputs, which must not change meanwhile, and writes outputs. A lane has
   * one run at a time.
   */
  infer(
    lane: number,
    inputs: Readonly<Record<string, HostArray>>,
    outputs: Readonly<Record<string, HostArray>>,
  ): Promise<void>;
  free(): void;
}

/** An infer request, and the arrays that are bound to it. */
interface Lane {
  readonly request: bigint;
  /** These are not kept alive. */
  readonly bound: Map<string, WeakRef<Float32Array>>;
  /** Copies of small inputs, which stay bound. */
  readonly copies: Map<string, HostArray>;
}

/** How a model shares the threads. */
export interface Sharing {
  /** Runs at the same time, each on its share. */
  readonly lanes: number;
  /** Whether other models run meanwhile. */
  readonly overlaps: boolean;
}

/** The library, open. */
export interface OpenvinoLibrary {
  /** Such as `2026.4.1`. */
  readonly version: string;
  /** What the CPU's plug-in can compute in: `FP32`, `BF16`, ... */
  readonly capabilities: readonly string[];
  /** Where an array is in memory; `null` where the C library cannot tell. */
  readonly addressOf: ((data: Uint8Array) => bigint) | null;
  /**
   * Compiles an ONNX model. Arrays whose addresses it names must be held meanwhile.
   */
  compile(model: Uint8Array<ArrayBuffer>, sharing: Sharing): Promise<OpenvinoModel>;
  close(): void;
}

/** Opens the library at `path`; `propertiesOf` tells those of a model, of up to `mostLanes`. */
export function openOpenvino(
  path: string,
  propertiesOf: (sharing: Sharing) => Readonly<Record<string, string>>,
  mostLanes: number,
): OpenvinoLibrary {
  const library = Deno.dlopen(path, SYMBOLS);
  const ov = library.symbols;

  const check = (status: number, what: string) => {
    if (status === 0) return;
    const message = takeText(ov.ov_get_last_err_msg());
    throw new Error(
      `Cannot use OpenVINO to ${what}: expected success but received status ${status}${
        message ? ` (${message.replaceAll(/\s+/g, " ").trim()})` : ""
      }`,
    );
  };
  const takeText = (address: bigint): string => {
    const read = textAt(address);
    if (address) ov.ov_free(address);
    return read;
  };
  /** Calls with room for one pointer, and gives the pointer. */
  const made = (what: string, call: (out: Uint8Array<ArrayBuffer>) => number) => {
    const out = new BigUint64Array(1);
    check(call(new Uint8Array(out.buffer)), what);
    return out[0]!;
  };
  const madeLater = async (
    what: string,
    call: (out: Uint8Array<ArrayBuffer>) => Promise<number>,
  ) => {
    const out = new BigUint64Array(1);
    check(await call(new Uint8Array(out.buffer)), what);
    return out[0]!;
  };

  const dims = new BigInt64Array(MAX_RANK); // of whatever is bound next; the library copies it
  const dimsAddress = addressOf(dims);

  // All that may be asked for: later there may be no permission to ask for an address.
  const pairsOf = (overlaps: boolean) =>
    Array.from(
      { length: mostLanes },
      (_, i) => pointersTo(Object.entries(propertiesOf({ lanes: i + 1, overlaps })).flat()),
    );
  const pairs = { alone: pairsOf(false), overlapping: pairsOf(true) };

  /** An `ov_shape_t`. */
  const shapeStruct = (shape: readonly number[]): Uint8Array<ArrayBuffer> => {
    dims.set(shape.map(BigInt));
    return new Uint8Array(BigUint64Array.of(BigInt(shape.length), dimsAddress).buffer);
  };
  const bind = ({ request, bound }: Lane, name: string, { shape, data }: HostArray) => {
    if (bound.get(name)?.deref() === data) return;
    const tensor = made(
      "bind an array",
      (out) => ov.ov_tensor_create_from_host_ptr(FLOAT32, shapeStruct(shape), bytesOf(data), out),
    );
    const status = ov.ov_infer_request_set_tensor(request, text(name), tensor);
    ov.ov_tensor_free(tensor); // the request holds it now
    check(status, `bind an array of shape [${shape}] to "${name}"`);
    bound.set(name, new WeakRef(data));
  };

  /** The same for an input: new ones in every run, such as noise, are mostly small. */
  const bindInput = (lane: Lane, name: string, { shape, data }: HostArray) => {
    if (data.length > COPIED) return bind(lane, name, { shape, data });
    const copy = lane.copies.get(name) ?? { shape, data: new Float32Array(data.length) };
    lane.copies.set(name, copy);
    copy.data.set(data);
    bind(lane, name, copy);
  };

  const core = made("start", (out) => ov.ov_core_create(out));
  const capabilities = made(
    "ask OpenVINO for the CPU's capabilities",
    (out) => ov.ov_core_get_property(core, text("CPU"), text("OPTIMIZATION_CAPABILITIES"), out),
  );
  return {
    version: versionOf(),
    capabilities: takeText(capabilities).split(/[\s,]+/),
    addressOf: ov.memmove && ((data) => {
      const bytes = data as Uint8Array<ArrayBuffer>;
      return ov.memmove!(bytes, bytes, 0n);
    }),
    async compile(model, { lanes, overlaps }) {
      const read = await madeLater(
        "read a model",
        (out) =>
          ov.ov_core_read_model_from_memory_buffer(
            core,
            model,
            BigInt(model.byteLength),
            0n,
            out,
          ),
      );
      const { texts, array } = pairs[overlaps ? "overlapping" : "alone"][lanes - 1]!;
      const count = BigInt(texts.length);
      const compiled = await madeLater(
        "compile a model",
        (out) => ov.ov_core_compile_model_props(core, read, text("CPU"), count / 2n, array, out),
      )
        .finally(() => ov.ov_model_free(read));
      const all = Array.from({ length: lanes }, (): Lane => ({
        request: made(
          "create an infer request",
          (out) => ov.ov_compiled_model_create_infer_request(compiled, out),
        ),
        bound: new Map(),
        copies: new Map(),
      }));
      return {
        reads(name) {
          const port = new BigUint64Array(1);
          const bytes = new Uint8Array(port.buffer);
          const found = ov.ov_compiled_model_input_by_name(compiled, text(name), bytes) === 0;
          if (found) ov.ov_output_const_port_free(port[0]!);
          return found;
        },
        async infer(lane, inputs, outputs) {
          for (const [name, array] of Object.entries(inputs)) bindInput(all[lane]!, name, array);
          for (const [name, array] of Object.entries(outputs)) bind(all[lane]!, name, array);
          check(await ov.ov_infer_request_infer(all[lane]!.request), "run a model");
        },
        free() {
          all.forEach(({ request }) => ov.ov_infer_request_free(request));
          ov.ov_compiled_model_free(compiled);
        },
      };
    },
    close() {
      ov.ov_core_free(core);
      library.close();
    },
  };

  function versionOf(): string {
    const version = new BigUint64Array(2); // ov_version_t { buildNumber, description }
    const bytes = new Uint8Array(version.buffer);
    check(ov.ov_get_openvino_version(bytes), "tell its version");
    const number = textAt(version[0]!);
    ov.ov_version_free(bytes);
    return /^[\d.]+/.exec(number)?.[0] ?? number; // without commit and branch
  }
}
