/**
 * The constructors of PyTorch's pickles that may build something: tensors as views of storages.
 *
 * Source: PyTorch, torch/_utils.py and torch/storage.py (arguments of each function).
 *
 * @module
 */
import {
  describeValue,
  isBytes,
  isGlobal,
  type PickleBytes,
  type PickleConstructor,
} from "./pickle_values.ts";
import {
  bytesOf,
  isStorage,
  isTensor,
  isTorchDtype,
  makeTensor,
  type TorchDtype,
  type TorchStorage,
} from "./torch_tensor.ts";

/** Storage classes, by the last part of their name. */
const storageDtypes: Readonly<Record<string, TorchDtype>> = {
  DoubleStorage: "float64",
  FloatStorage: "float32",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
  UntypedStorage: "uint8", // its size is in bytes; the tensor says the type
};

type Fail = Parameters<PickleConstructor>[1];

/** What a persistent id says of a storage. */
export interface StorageId {
  readonly key: string;
  readonly dtype: TorchDtype;
  readonly size: number;
  /** The part of the storage that is meant, in files of PyTorch before 0.4: offset and size. */
  readonly view: readonly [number, number] | null;
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/** Parses `("storage", class, key, device, size, view?)`. */
export function parseStorageId(id: unknown, fail: Fail): StorageId {
  const parts = Array.isArray(id) ? id as unknown[] : [];
  const [what, type, key, , size, view] = parts;
  if (what !== "storage" || !isGlobal(type) || typeof key !== "string" || !isCount(size)) {
    throw fail("the id of a storage", describeValue(id));
  }
  const dtype = storageDtypes[type.name.split(/[. ]/).at(-1)!];
  if (!dtype) {
    throw fail(`a storage of ${Object.keys(storageDtypes).join(", ")}`, describeValue(type));
  }
  if (!/^[\w.-]{1,64}$/.test(key) || key.startsWith(".")) {
    throw fail("a storage's key of letters and digits", describeValue(key));
  }
  if (!Array.isArray(view)) return { key, dtype, size, view: null };
  const [, offset, length] = view as unknown[];
  if (!isCount(offset) || !isCount(length) || offset + length > size) {
    throw fail(`a part of ${size} elements`, describeValue(view));
  }
  return { key, dtype, size, view: [offset, length] };
}

/** A storage whose bytes are found once, when first asked for. */
export function makeStorage(
  { dtype, size }: Pick<TorchStorage, "dtype" | "size">,
  littleEndian: boolean,
  find: TorchStorage["open"],
): TorchStorage {
  let found: ReturnType<TorchStorage["open"]> | undefined;
  return { kind: "storage", dtype, size, littleEndian, open: () => found ??= find() };
}

/** The part of a storage that an id means. */
export function partOf(storage: TorchStorage, { view }: StorageId): TorchStorage {
  if (!view) return storage;
  const [offset, size] = view;
  const bytes = bytesOf(storage.dtype);
  return makeStorage(
    { dtype: storage.dtype, size },
    storage.littleEndian,
    () => storage.open().slice(offset * bytes, size * bytes),
  );
}

/** The same bytes as elements of another type. */
function retyped(storage: TorchStorage, dtype: TorchDtype): TorchStorage {
  const size = Math.floor(storage.size * bytesOf(storage.dtype) / bytesOf(dtype));
  return makeStorage({ dtype, size }, storage.littleEndian, storage.open);
}

const rebuildTensor: PickleConstructor = ([storage, offset, shape, strides], fail) => {
  if (!isStorage(storage)) throw fail("a tensor's storage", describeValue(storage));
  return makeTensor(storage, { offset, shape, strides }, fail);
};

const rebuildTyped: PickleConstructor = (args, fail) => {
  const [storage, offset, shape, strides, , , dtype] = args;
  const name = isGlobal(dtype) ? dtype.name.replace(/^torch /, "") : "";
  if (!isStorage(storage)) throw fail("a tensor's storage", describeValue(storage));
  if (!isTorchDtype(name)) throw fail("a type of elements that is known", describeValue(dtype));
  return makeTensor(retyped(storage, name), { offset, shape, strides }, fail);
};

const rebuildParameter: PickleConstructor = ([data], fail) => {
  if (!isTensor(data)) throw fail("a parameter's tensor", describeValue(data));
  return data;
};

const tensorConstructors = new Map<string, PickleConstructor>([
  ["torch._utils _rebuild_tensor", rebuildTensor],
  ["torch._utils _rebuild_tensor_v2", rebuildTensor],
  ["torch._utils _rebuild_tensor_v3", rebuildTyped],
  ["torch._utils _rebuild_parameter", rebuildParameter],
  ["torch._utils _rebuild_parameter_with_state", rebuildParameter],
  ["torch Size", ([sizes]) => Object.freeze(Array.isArray(sizes) ? [...sizes] : [])],
]);

/**
 * What the pickles of one file may build.
 *
 * @param loadBytes reads the storage of a nested file, as plain pickles of tensors hold them
 */
export function torchConstructors(
  loadBytes: (bytes: PickleBytes) => unknown,
): ReadonlyMap<string, PickleConstructor> {
  const loaded = new Map<PickleBytes, unknown>();
  return new Map<string, PickleConstructor>([
    ...tensorConstructors,
    ["torch._tensor _rebuild_from_type_v2", ([rebuild, , args], fail) => {
      const build = isGlobal(rebuild) ? tensorConstructors.get(rebuild.name) : undefined;
      if (!build || !Array.isArray(args)) throw fail("a tensor to rebuild", describeValue(rebuild));
      return build(args, fail);
    }],
    ["torch.storage _load_from_bytes", ([bytes], fail) => {
      if (!isBytes(bytes)) throw fail("the bytes of a storage", describeValue(bytes));
      if (!loaded.has(bytes)) loaded.set(bytes, loadBytes(bytes));
      return loaded.get(bytes);
    }],
  ]);
}
