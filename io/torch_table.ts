/**
 * The tensors of a saved object by dotted name, wherever it keeps them: nested dicts, whole modules,
 * NVlabs' persistent objects, numpy arrays.
 *
 * @module
 */
import { rowMajor } from "../core/strided.ts";
import { isBytes, isObject, type PickleObject } from "./pickle_values.ts";
import { type RandomAccess, unreadable } from "./random_access.ts";
import { makeStorage } from "./torch_constructors.ts";
import {
  bytesOf,
  isTensor,
  makeTensor,
  type TorchDtype,
  type TorchTensor,
} from "./torch_tensor.ts";

const maximumDepth = 32;
const maximumValues = 200_000;
const maximumNameLength = 256;

/** numpy's codes for the types of elements. */
const numpyDtypes: Readonly<Record<string, TorchDtype>> = {
  f8: "float64",
  f4: "float32",
  f2: "float16",
  i8: "int64",
  i4: "int32",
  i2: "int16",
  i1: "int8",
  u8: "uint64",
  u4: "uint32",
  u2: "uint16",
  u1: "uint8",
  b1: "bool",
};

/** A numpy array as a tensor, or null when it is none that can be read. */
function numpyTensor({ name, state }: PickleObject): TorchTensor | null {
  if (!/^numpy\.(core|_core)\.multiarray _reconstruct$/.test(name)) return null;
  if (!Array.isArray(state)) return null;
  const [, shape, type, isColumnMajor, bytes] = state;
  if (!isObject(type) || type.name !== "numpy dtype" || !isBytes(bytes)) return null;
  const code = type.args[0];
  const dtype = typeof code === "string" ? numpyDtypes[code] : undefined;
  if (!dtype || !Array.isArray(shape) || !shape.every(Number.isSafeInteger)) return null;
  const littleEndian = !(Array.isArray(type.state) && type.state[1] === ">");
  const size = Math.floor(bytes.access.size / bytesOf(dtype));
  const storage = makeStorage({ dtype, size }, littleEndian, () => bytes.access);
  const strides = isColumnMajor === true
    ? rowMajor([...shape].reverse()).reverse()
    : rowMajor(shape);
  return makeTensor(
    storage,
    { offset: 0, shape, strides },
    (expected, received) => unreadable(bytes.access, 0, expected, received),
  );
}

/** The attributes of a module: of a plain one, or of one that NVlabs' `persistence` saved. */
function attributesOf(object: PickleObject): Map<unknown, unknown> | null {
  const meta = object.name === "torch_utils.persistence _reconstruct_persistent_obj"
    ? object.args[0]
    : null;
  const state = meta instanceof Map ? meta.get("state") : object.state;
  return state instanceof Map ? state : null;
}

/** The named values right below a value; a module's parameters, buffers and modules are merged. */
function childrenOf(value: unknown): Iterable<readonly [unknown, unknown]> {
  if (value instanceof Map) return value;
  if (!isObject(value)) return [];
  const attributes = attributesOf(value);
  const members = ["_parameters", "_buffers", "_modules"].map((key) => attributes?.get(key));
  const maps = members.filter((member) => member instanceof Map);
  return maps.length ? maps.flatMap((map) => [...map]) : value.entries;
}

/**
 * Every tensor of a saved object by its dotted name: `g_ema.conv1.conv.weight`,
 * `G_ema.synthesis.b4.const`.
 *
 * @param file what errors name
 * @throws {SyntaxError} when it is nested without end
 */
export function torchTable(
  value: unknown,
  file: Pick<RandomAccess, "name" | "start">,
): ReadonlyMap<string, TorchTensor> {
  const table = new Map<string, TorchTensor>();
  let values = 0;
  const visit = (prefix: string, parent: unknown, depth: number): void => {
    if (depth > maximumDepth) {
      throw unreadable(file, 0, `at most ${maximumDepth} levels of names`, "more, or a cycle");
    }
    for (const [key, child] of childrenOf(parent)) {
      if (++values > maximumValues) {
        throw unreadable(file, 0, `at most ${maximumValues} named values`, "more, or a cycle");
      }
      if (typeof key !== "string" && typeof key !== "number") continue;
      if (`${key}`.length > maximumNameLength) {
        throw unreadable(
          file,
          0,
          `names of at most ${maximumNameLength} characters`,
          "a longer one",
        );
      }
      const name = prefix ? `${prefix}.${key}` : `${key}`;
      const tensor = isTensor(child) ? child : isObject(child) ? numpyTensor(child) : null;
      if (tensor) table.set(name, tensor);
      else visit(name, child, depth + 1);
    }
  };
  visit("", value, 0);
  return table;
}

/**
 * The value at a path of names in a saved object, or undefined: `["G_ema", "_init_kwargs"]` are the
 * arguments of NVlabs' module, `["G_ema", "_modules", "mapping", "num_layers"]` an attribute of one.
 */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((parent, name) => {
    if (parent instanceof Map) return parent.get(name);
    if (!isObject(parent)) return undefined;
    return attributesOf(parent)?.get(name) ?? parent.entries.get(name);
  }, value);
}
