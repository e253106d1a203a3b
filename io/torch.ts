/**
 * PyTorch's files without Python: zip archives, the older legacy format, and plain pickles of
 * tensors (NVlabs' snapshots). No code in a file is ever run, and a tensor stays in the file until
 * it is read.
 *
 * @module
 */
import type { PickleConstructor } from "./pickle_values.ts";
import { unpickle } from "./pickle.ts";
import { type RandomAccess, unreadable } from "./random_access.ts";
import { makeStorage, parseStorageId, partOf, torchConstructors } from "./torch_constructors.ts";
import { legacyMagic, readLegacy, readNestedStorage } from "./torch_legacy.ts";
import { bytesOf, type TorchStorage } from "./torch_tensor.ts";
import { readZip, type ZipMember } from "./zip.ts";

/** What a PyTorch file holds. */
export interface TorchFile {
  readonly format: "zip" | "legacy" | "pickle";
  /** The saved object, as `unpickle` says; it may contain itself. */
  readonly value: unknown;
}

const maximumPickleBytes = 2 ** 26;

function findRoot(archive: RandomAccess, members: ReadonlyMap<string, ZipMember>): string {
  const names = [...members.keys()];
  const roots = names.filter((name) => /^[^/]+\/data\.pkl$/.test(name))
    .map((name) => name.slice(0, -"data.pkl".length));
  const root = roots[0];
  if (root === undefined || roots.length > 1) {
    throw unreadable(
      archive,
      0,
      'a zip archive of PyTorch with one "data.pkl"',
      `${roots.length} of them`,
    );
  }
  if (
    members.has(`${root}constants.pkl`) || names.some((name) => name.startsWith(`${root}code/`))
  ) {
    throw unreadable(archive, 0, "a file of weights", "a TorchScript program; save its state_dict");
  }
  return root;
}

function readArchive(archive: RandomAccess): unknown {
  const members = readZip(archive);
  const root = findRoot(archive, members);
  const order = members.get(`${root}byteorder`);
  const littleEndian = !order || order.size > 8 ||
    new TextDecoder().decode(order.open().read(0, order.size)).trim() !== "big";
  const storages = new Map<string, TorchStorage>();
  const persistent: PickleConstructor = ([id], fail) => {
    const parsed = parseStorageId(id, fail);
    const { key, dtype, size } = parsed;
    const known = storages.get(key);
    if (known && (known.dtype !== dtype || known.size !== size)) {
      throw fail(`storage "${key}" of ${known.size} elements of ${known.dtype}`, "another kind");
    }
    const member = members.get(`${root}data/${key}`);
    if (member?.size !== size * bytesOf(dtype)) {
      throw fail(
        `"${root}data/${key}" of ${size * bytesOf(dtype)} bytes`,
        member ? `${member.size} bytes` : "no such member",
      );
    }
    const storage = known ?? makeStorage(parsed, littleEndian, () => member.open());
    storages.set(key, storage);
    return partOf(storage, parsed);
  };
  const pickle = members.get(`${root}data.pkl`)!;
  if (pickle.size > maximumPickleBytes) {
    throw unreadable(archive, 0, `a "data.pkl" of at most ${maximumPickleBytes} bytes`, "more");
  }
  const constructors = torchConstructors(readNestedStorage);
  return unpickle(pickle.open(), 0, { constructors, persistent }).value;
}

function isLegacy(access: RandomAccess): boolean {
  try {
    return unpickle(access, 0, { maximumOperations: 4 }).value === legacyMagic;
  } catch {
    return false; // a longer pickle, which is read in full and reports its own errors
  }
}

/**
 * Reads what PyTorch or a plain pickle of tensors saved.
 *
 * @throws {SyntaxError} for a file of another format, or a damaged or hostile one, saying what is
 * wrong and at which byte
 */
export function readTorch(access: RandomAccess): TorchFile {
  const start = access.read(0, Math.min(4, access.size));
  if (start[0] === 0x50 && start[1] === 0x4b) return { format: "zip", value: readArchive(access) };
  if (start[0] !== 0x80) {
    const hex = [...start].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw unreadable(
      access,
      0,
      "a file of PyTorch (zip, legacy or pickle)",
      hex ? `bytes ${hex}` : "an empty file",
    );
  }
  const constructors = torchConstructors(readNestedStorage);
  if (isLegacy(access)) return { format: "legacy", value: readLegacy(access, { constructors }) };
  return { format: "pickle", value: unpickle(access, 0, { constructors }).value };
}
