import type { HostArray } from "../../core/contracts.ts";
import { quote } from "../../io/describe.ts";
import type { RandomAccess } from "../../io/random_access.ts";
import { readSafetensorsFrom } from "../../io/safetensors.ts";
import { readTorch, type TorchFile } from "../../io/torch.ts";
import { torchTable } from "../../io/torch_table.ts";
import { countOf, readTensor } from "../../io/torch_tensor.ts";

/** A tensor of a file that was not read yet. */
export interface TableTensor {
  readonly shape: readonly number[];
  /** Elements of the storage that it shares with others, and that storage. */
  readonly storage: { readonly size: number };
  read(): HostArray;
}

/** The tensors of foreign files by dotted name. */
export interface WeightTable {
  /** What errors call the file. */
  readonly name: string;
  readonly format: TorchFile["format"] | "safetensors";
  readonly tensors: ReadonlyMap<string, TableTensor>;
  /** What the file holds beside tensors: arguments of modules, say. Null for safetensors. */
  readonly value: unknown;
  /** Texts in the header of a safetensors file; none for several files. */
  readonly metadata: Readonly<Record<string, string>>;
}

const LONGEST_HEADER = 100_000_000n; // the limit of the safetensors library

/** A safetensors file starts with the length of its header, and that with a brace; it may be cut off. */
function isSafetensors(access: RandomAccess): boolean {
  if (access.size < 9) return false;
  const start = access.read(0, 9);
  const length = new DataView(start.buffer).getBigUint64(0, true);
  return start[8] === 0x7b && length <= LONGEST_HEADER;
}

/**
 * Lists the tensors of a file of PyTorch or safetensors.
 *
 * @throws {SyntaxError} for a damaged or hostile file, or one of another format
 */
export function readWeightTable(access: RandomAccess): WeightTable {
  const { name } = access;
  if (isSafetensors(access)) {
    const { tensors: arrays, metadata } = readSafetensorsFrom(access);
    const tensors = Object.entries(arrays).map(
      ([key, array]): [string, TableTensor] => [key, {
        shape: array.shape,
        storage: { size: array.data.length },
        read: () => array,
      }],
    );
    return { name, format: "safetensors", tensors: new Map(tensors), value: null, metadata };
  }
  const { format, value } = readTorch(access);
  const tensors = new Map<string, TableTensor>();
  for (const [key, tensor] of torchTable(value, access)) {
    const { shape, storage } = tensor;
    tensors.set(key, { shape, storage, read: () => readTensor(tensor) });
  }
  return { name, format, tensors, value, metadata: {} };
}

/** Several files as one table; a name must not occur twice. */
export function joinTables(tables: readonly WeightTable[]): WeightTable {
  const [first] = tables;
  if (!first) {
    throw new RangeError("Cannot convert weights: expected at least one file but received none");
  }
  if (tables.length === 1) return first;
  const tensors = new Map<string, TableTensor>();
  for (const table of tables) {
    for (const [key, tensor] of table.tensors) {
      if (tensors.has(key)) {
        throw new RangeError(
          `Cannot convert ${
            quote(table.name)
          }: expected names that no other file has but received ${quote(key)}`,
        );
      }
      tensors.set(key, tensor);
    }
  }
  const name = tables.map((table) => table.name).join(" and ");
  return { name, format: first.format, tensors, value: first.value, metadata: {} };
}

/**
 * The prefixes below which a table has most of some keys: `g_ema.` and `g.` for `input.input`. Empty
 * for a bare state dict. Several keys still tell a network of which one is missing.
 */
export function prefixesOf({ tensors }: WeightTable, keys: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of tensors.keys()) {
    const key = keys.find((key) => name === key || name.endsWith(`.${key}`));
    if (key === undefined) continue;
    const prefix = name.slice(0, name.length - key.length);
    counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => 2 * count >= keys.length).map(([prefix]) => prefix);
}

/** The sizes of a tensor; none where it is absent. */
export function shapeOf({ tensors }: WeightTable, name: string): readonly number[] {
  return tensors.get(name)?.shape ?? [];
}

/** How many elements the tensors of those names have, and how many distinct ones the file stores. */
export function elementsOf(
  { tensors }: WeightTable,
  names: readonly string[],
): { readonly read: number; readonly stored: number } {
  const found = names.map((name) => tensors.get(name)).filter((tensor) => tensor !== undefined);
  const storages = new Set(found.map(({ storage }) => storage));
  return {
    read: found.reduce((sum, { shape }) => sum + countOf(shape), 0),
    stored: [...storages].reduce((sum, { size }) => sum + size, 0),
  };
}
