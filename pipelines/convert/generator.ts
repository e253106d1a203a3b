/**
 * The common way of all generators: networks, discriminator, average style, report.
 *
 * @module
 */
import type { HostArray, Weights } from "../../core/contracts.ts";
import { under } from "../../core/params.ts";
import { createEngine } from "../../engine/mod.ts";
import { checkDiscriminatorConfig } from "../../networks/config.ts";
import type { ConvertedGenerator, ConvertOptions } from "./converted.ts";
import { checkNames, readNetwork } from "./entries.ts";
import { estimateWMean } from "./estimate_w_mean.ts";
import type { FoundGenerator } from "./find.ts";
import { findDiscriminator } from "./recognise.ts";
import { leftOut, placeOf } from "./report.ts";
import type { WeightTable } from "./weight_table.ts";

interface FoundMean {
  readonly mean: HostArray;
  /** Its name in the file; null where it was estimated. */
  readonly key: string | null;
}

/** `[D]`, or rows `[1,L,D]` that are all equal; null where a file has none or another kind. */
function readMean(table: WeightTable, { meanKeys, sizes }: FoundGenerator): FoundMean | null {
  for (const key of meanKeys) {
    const tensor = table.tensors.get(key);
    if (tensor?.shape.at(-1) !== sizes.styleDim) continue;
    const { data } = tensor.read();
    const row = data.slice(0, sizes.styleDim);
    const isOneRow = data.every((value, i) => value === row[i % row.length]!);
    if (isOneRow && row.every(Number.isFinite)) {
      return { mean: { shape: [sizes.styleDim], data: row }, key };
    }
  }
  return null;
}

async function findMean(
  table: WeightTable,
  found: FoundGenerator,
  { weights, options }: { readonly weights: Weights; readonly options: ConvertOptions },
): Promise<FoundMean> {
  const known = weights["mapping.w_mean"];
  if (known) return { mean: known, key: "mapping.w_mean" };
  const stored = readMean(table, found);
  if (stored) return stored;
  const engine = options.engine ?? await createEngine();
  try {
    const { seed = 0 } = options;
    const mapping = under(weights, "mapping");
    return { mean: await estimateWMean(mapping, found.sizes, { engine, seed }), key: null };
  } finally {
    if (!options.engine) await engine.dispose();
  }
}

/** Parts the fixed noise maps from the weights. */
function apart(weights: Weights): { weights: Weights; noise: HostArray[] } {
  const noise = under(weights, "noise");
  return {
    weights: Object.fromEntries(
      Object.entries(weights).filter(([name]) => !name.startsWith("noise.")),
    ),
    noise: Object.keys(noise).map((_, i) => noise[i]).filter((map) => map !== undefined),
  };
}

/**
 * Reads a generator that was found, the discriminator beside it, and the average style: of the file,
 * or estimated.
 *
 * @param sizePx Side of its images, for the report
 */
export async function convertGenerator(
  table: WeightTable,
  found: FoundGenerator,
  { sizePx, options }: { readonly sizePx: number; readonly options: ConvertOptions },
): Promise<ConvertedGenerator> {
  const { sizes, networks, source } = found;
  const critic = options.discriminator === false ? undefined : findDiscriminator(table);
  const all = critic ? [...networks, critic.network] : networks;
  for (const network of all) checkNames(table, network);
  const read = all.map((network) => readNetwork(table, network));
  const { noise, weights } = apart(Object.assign({}, ...read) as Weights);
  if (critic) checkDiscriminatorConfig(critic.config);
  const { mean, key } = await findMean(table, found, { weights, options });
  const lines = [
    ...networks.map(placeOf),
    `${sizePx} px, channels ${sizes.channels.join(", ")}, styles of ${sizes.styleDim}, ` +
    `${sizes.mappingLayers} mapping layers`,
    ...found.convClamp === undefined ? [] : [`features are clamped at ${found.convClamp}`],
    ...(critic
      ? [`${placeOf(critic.network)}, channels ${critic.config.channels.join(", ")}`]
      : []),
  ];
  return {
    weights: { ...weights, "mapping.w_mean": mean },
    discriminator: critic?.config ?? null,
    noise,
    metadata: {},
    report: {
      source,
      format: table.format,
      found: lines,
      wMean: key === null ? "estimated" : "file",
      leftOut: leftOut(table, all, [key]),
    },
  };
}
