/**
 * PyTorch's format before 1.6: five pickles (a magic number, a version, the machine, the object, the
 * keys of its storages), then the bytes of each storage after its length.
 *
 * Source: PyTorch, torch/serialization.py, `_legacy_save`.
 *
 * @module
 */
import { describeValue, type PickleBytes, type PickleConstructor } from "./pickle_values.ts";
import { unpickle, type UnpickleOptions } from "./pickle.ts";
import { type RandomAccess, unreadable } from "./random_access.ts";
import { makeStorage, parseStorageId, partOf } from "./torch_constructors.ts";
import { bytesOf, isStorage, type TorchStorage } from "./torch_tensor.ts";

/** The first pickle of every such file. */
export const legacyMagic = 0x1950a86a20f9469cfc6cn;
const legacyVersion = 1001;

interface Place {
  readonly storage: TorchStorage;
  /** The bytes, once the end of the file was read. */
  bytes?: RandomAccess;
}

function readHeader(access: RandomAccess): { littleEndian: boolean; end: number } {
  const magic = unpickle(access, 0, { maximumOperations: 100 });
  if (magic.value !== legacyMagic) {
    throw unreadable(access, 0, "the magic number of PyTorch", describeValue(magic.value));
  }
  const version = unpickle(access, magic.end, { maximumOperations: 100 });
  if (version.value !== legacyVersion) {
    throw unreadable(
      access,
      magic.end,
      `version ${legacyVersion} of the format`,
      describeValue(version.value),
    );
  }
  const machine = unpickle(access, version.end, { maximumOperations: 1000 });
  const littleEndian = !(machine.value instanceof Map) ||
    machine.value.get("little_endian") !== false;
  return { littleEndian, end: machine.end };
}

/** Finds each storage's bytes behind the pickles. */
function placeStorages(
  access: RandomAccess,
  start: number,
  places: ReadonlyMap<string, Place>,
): void {
  const { value: keys, end } = unpickle(access, start);
  if (!Array.isArray(keys)) {
    throw unreadable(access, start, "a list of storages", describeValue(keys));
  }
  let at = end;
  for (const key of keys) {
    const place = places.get(key);
    if (!place || place.bytes) {
      throw unreadable(access, at, "each storage of the object once", describeValue(key));
    }
    const length = new DataView(access.read(at, 8).buffer).getBigInt64(0, true);
    const { size, dtype } = place.storage;
    if (length !== BigInt(size)) {
      throw unreadable(access, at, `a storage of ${size} elements`, `${length}`);
    }
    place.bytes = access.slice(at + 8, size * bytesOf(dtype));
    at += 8 + place.bytes.size;
  }
  for (const [key, { bytes }] of places) {
    if (!bytes) throw unreadable(access, at, `the storage ${describeValue(key)}`, "none");
  }
}

/**
 * Reads a file of the old format.
 *
 * @throws {SyntaxError} saying what is wrong and at which byte
 */
export function readLegacy(
  access: RandomAccess,
  options: Pick<UnpickleOptions, "constructors" | "maximumOperations">,
): unknown {
  const { littleEndian, end } = readHeader(access);
  const places = new Map<string, Place>();
  const persistent: PickleConstructor = ([id], fail) => {
    // Very old files kept the source text of modules beside them: ("module", class, file, text).
    if (Array.isArray(id) && id[0] === "module") return id[1];
    const parsed = parseStorageId(id, fail);
    const known = places.get(parsed.key);
    const { size, dtype } = known?.storage ?? parsed;
    if (size !== parsed.size || dtype !== parsed.dtype) {
      throw fail(`storage "${parsed.key}" of ${size} elements of ${dtype}`, "another kind");
    }
    const place: Place = known ?? {
      storage: makeStorage(parsed, littleEndian, () => place.bytes!),
    };
    places.set(parsed.key, place);
    return partOf(place.storage, parsed);
  };
  const object = unpickle(access, end, { ...options, persistent });
  placeStorages(access, object.end, places);
  return object.value;
}

/**
 * Reads the storage in the nested file that a plain pickle holds for each tensor.
 *
 * @throws {SyntaxError} saying what is wrong and at which byte
 */
export function readNestedStorage({ access }: PickleBytes): TorchStorage {
  const value = readLegacy(access, { maximumOperations: 1000 });
  if (!isStorage(value)) throw unreadable(access, 0, "a storage", describeValue(value));
  return value;
}
