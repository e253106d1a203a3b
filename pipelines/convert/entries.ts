/**
 * What a foreign network's weights must be, one entry per key, and the step from them to ours: all
 * of them or an error that lists what does not fit.
 *
 * @module
 */
import type { HostArray, Weights } from "../../core/contracts.ts";
import { quote } from "../../io/describe.ts";
import { type Layout, layouts } from "./layouts.ts";
import { elementsOf, type WeightTable } from "./weight_table.ts";

/** One tensor of a foreign network. */
export interface Entry {
  readonly from: string;
  readonly shape: readonly number[];
  /** Our name and how its numbers get there; absent: the tensor is no weight of ours. */
  readonly to?: { readonly name: string; readonly layout: Layout };
  /** Values that the tensor must have: fixed filters. */
  readonly values?: readonly number[];
  /** Files may leave it out. */
  readonly optional?: boolean;
}

/** A foreign network: where its keys are and what they must be. */
export interface ForeignNetwork {
  /** For errors and reports: `rosinality generator`. */
  readonly what: string;
  /** Below which the keys lie: `g_ema.`. */
  readonly prefix: string;
  readonly entries: readonly Entry[];
  /** Keys below the prefix that are known and left out. */
  readonly ignored?: RegExp;
}

const maximumListed = 8;
const filterTolerance = 1e-5;
const maximumRepeatedElements = 2 ** 22;

/** A weight that changes its layout. */
export function weight(
  from: string,
  name: string,
  shape: readonly number[],
  layout: Layout,
): Entry {
  return { from, shape, to: { name, layout } };
}

/** A fully connected layer `{from}.weight`, `{from}.bias`. */
export function linearEntries(
  from: string,
  to: string,
  { inputs, outputs }: { readonly inputs: number; readonly outputs: number },
): Entry[] {
  return [
    weight(`${from}.weight`, `${to}.weight`, [outputs, inputs], "linear"),
    weight(`${from}.bias`, `${to}.bias`, [outputs], "vector"),
  ];
}

/** StyleGAN2's FIR filter [1,3,3,1] x [1,3,3,1] as a buffer: ours is fixed, so it must be this one. */
export function filterEntry(from: string, gain = 1): Entry {
  const taps = [1, 3, 3, 1];
  const values = taps.flatMap((a) => taps.map((b) => a * b * gain / 64));
  return { from, shape: [4, 4], values, optional: true };
}

const listed = (names: readonly string[]): string =>
  names.slice(0, maximumListed).map(quote).join(", ") +
  (names.length > maximumListed ? ", ..." : "");

function fail(table: WeightTable, expected: string, received: string): RangeError {
  return new RangeError(
    `Cannot convert ${quote(table.name)}: expected ${expected} but received ${received}`,
  );
}

/**
 * Compares the names in a file with those that a network has. To be done for all networks of a file
 * before any of them is read: sizes are inferred from tensors, and with one missing others would
 * look wrong that are not.
 *
 * @throws {RangeError} that lists every missing and unknown key
 */
export function checkNames(
  table: WeightTable,
  { what, prefix, entries, ignored }: ForeignNetwork,
): void {
  const known = new Set(entries.map(({ from }) => prefix + from));
  const missing = entries
    .filter(({ from, optional }) => !optional && !table.tensors.has(prefix + from))
    .map(({ from }) => prefix + from);
  const unknown = [...table.tensors.keys()].filter((name) =>
    name.startsWith(prefix) && !known.has(name) && !ignored?.test(name.slice(prefix.length))
  );
  const received = ([["missing", missing], ["unknown", unknown]] as const)
    .filter(([, names]) => names.length)
    .map(([fault, names]) => `${names.length} ${fault} (${listed(names)})`);
  if (received.length) throw fail(table, `the keys of a ${what}`, received.join(" and "));
}

function checkShapes(table: WeightTable, { what, prefix, entries }: ForeignNetwork): void {
  const wrong = entries.flatMap(({ from, shape }) => {
    const found = table.tensors.get(prefix + from)?.shape;
    return found && `${found}` !== `${shape}`
      ? [`${prefix}${from} [${found}] instead of [${shape}]`]
      : [];
  });
  if (wrong.length) {
    throw fail(table, `the keys of a ${what}`, `${wrong.length} mis-shaped (${listed(wrong)})`);
  }
}

function checkValues(table: WeightTable, { prefix, entries }: ForeignNetwork): void {
  for (const { from, values } of entries) {
    const tensor = values && table.tensors.get(prefix + from);
    if (!tensor) continue;
    const { data } = tensor.read();
    if (values.some((value, i) => !(Math.abs(value - data[i]!) <= filterTolerance))) {
      const shown = [...data].slice(0, 4).map((value) => value.toPrecision(4));
      throw fail(
        table,
        `the fixed filter ${quote(prefix + from)} to start with ${
          values.slice(0, 4).map((value) => value.toPrecision(4)).join(", ")
        }`,
        `${shown.join(", ")}; networks with other filters are not supported`,
      );
    }
  }
}

/**
 * Reads the weights of a network in our names and layouts.
 *
 * @throws {RangeError} that lists every missing, unknown and mis-shaped key, or the weights that
 * are not finite
 */
export function readNetwork(
  table: WeightTable,
  network: ForeignNetwork,
): Weights {
  checkNames(table, network);
  checkShapes(table, network);
  const { prefix, entries, what } = network;
  const wanted = entries.filter(({ to, from }) => to && table.tensors.has(prefix + from));
  const { read, stored } = elementsOf(table, wanted.map(({ from }) => prefix + from));
  if (read > 2 * stored + maximumRepeatedElements) {
    throw fail(table, `a ${what} of tensors of its own`, `${read} elements from ${stored} stored`);
  }
  checkValues(table, network);
  const weights: Record<string, HostArray> = {};
  const infinite: string[] = [];
  for (const { from, to } of wanted) {
    const array = table.tensors.get(prefix + from)!.read();
    if (!array.data.every(Number.isFinite)) infinite.push(prefix + from);
    weights[to!.name] = layouts[to!.layout](array);
  }
  if (infinite.length) {
    throw fail(table, "finite weights", `NaN or infinity in ${listed(infinite)}`);
  }
  return weights;
}
