/**
 * The section of a report on sets of images.
 *
 * @module
 */
import type { Block } from "../../io/report_document.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Measurement } from "./measurement.ts";
import { comparability, publishedRows } from "./published.ts";
import { distinct, figure, find, heading, millions, signOf, table, text } from "./report_parts.ts";

const FEATURE_COLUMNS: readonly (readonly [
  metric: string,
  key: string,
  title: string,
  spread?: string,
])[] = [
  ["fid", "fid", "FID"],
  ["kid", "kid", "KID x 1000", "kid_spread"],
  ["precision_recall", "precision", "precision"],
  ["precision_recall", "recall", "recall"],
];
const NOT_OF_SETS = ["ppl", "distance", "cost", "time", "early_exit", "detail"];

/** The measurements of two sets. */
interface ComparedSets {
  readonly name: string;
  readonly measurements: readonly Measurement[];
}

/** Floors last. */
function comparedSets(measurements: readonly Measurement[]): ComparedSets[] {
  const sets = measurements.filter(({ metric }) => !NOT_OF_SETS.includes(metric))
    .sort((a, b) => Number(a.floor ?? false) - Number(b.floor ?? false));
  const nameOf = ({ subject, reference, floor }: Measurement) =>
    `${subject} to ${reference}${floor ? " (floor)" : ""}`;
  return distinct(sets.map(nameOf)).map((name) => ({
    name,
    measurements: sets.filter((one) => nameOf(one) === name),
  }));
}

/** Everything that compares two sets, and what papers print. */
export function setBlocks({ measurements, features }: Evaluation): Block[] {
  const sets = comparedSets(measurements);
  if (sets.length === 0) return [];
  return [
    heading("Sets of images"),
    text(
      "Images become bytes first, as in files. A floor compares two sets of one origin: with so " +
        "many images, no generator can be expected below it.",
    ),
    ...features.flatMap(({ label }) => featureBlocks(sets, label)),
    ...swdBlocks(sets),
    ...otherBlocks(sets),
    ...publishedBlocks(),
  ];
}

/** A table of its own for each kind of features: their numbers compare with nothing else. */
function featureBlocks(sets: readonly ComparedSets[], label: string): Block[] {
  const own = sets.map(({ name, measurements }) => ({
    name,
    measurements: measurements.filter(({ features }) => features === label),
  })).filter(({ measurements }) => measurements.length > 0);
  const columns = FEATURE_COLUMNS.filter(([name]) =>
    own.some(({ measurements }) => find(measurements, { metric: name }))
  );
  if (columns.length === 0) return [];
  return [
    text("By the features ", { code: label }, ":"),
    ...table(
      ["images to reference", ...columns.map(([, , title]) => title)],
      own.map(({ name, measurements }) => [
        name,
        ...columns.map(([metric, key, , spread]) => {
          const one = find(measurements, { metric });
          if (!one) return "";
          const of = (name: string) => figure((metric === "kid" ? 1000 : 1) * one.values[name]!);
          return of(key) + (spread ? ` ± ${of(spread)}` : "") + signOf(one);
        }),
      ]),
    ),
  ];
}

/** Metrics of plugins. */
function otherBlocks(sets: readonly ComparedSets[]): Block[] {
  const own = sets.map(({ name, measurements }) => ({
    name,
    measurements: measurements.filter(({ metric, features }) => metric !== "swd" && !features),
  }));
  const columns = distinct(
    own.flatMap(({ measurements }) =>
      measurements.flatMap(({ metric, values }) =>
        Object.keys(values).map((key) => `${metric}\n${key}`)
      )
    ),
  ).map((column) => column.split("\n") as [string, string]);
  if (columns.length === 0) return [];
  return table(
    ["images to reference", ...columns.map(([metric, key]) => `${metric}: ${key}`)],
    own.map(({ name, measurements }) => [
      name,
      ...columns.map(([metric, key]) => figure(find(measurements, { metric })?.values[key])),
    ]),
  );
}

function swdBlocks(sets: readonly ComparedSets[]): Block[] {
  const rows = sets.flatMap(({ name, measurements }) => {
    const swd = find(measurements, { metric: "swd" });
    return swd ? [{ name, values: swd.values }] : [];
  });
  if (rows.length === 0) return [];
  const bands = Object.keys(rows[0]!.values).filter((key) => key !== "mean");
  const title = (key: string) => key.toUpperCase().replace("_", " ").replace("PX", "");
  return [
    text(
      "Sliced Wasserstein distance x 1000, which needs no network: the mean over the Haar bands, and " +
        "each band with its size in px:",
    ),
    ...table(
      ["images to reference", "SWD", ...bands.map(title)],
      rows.map(({ name, values }) => [
        name,
        figure(values["mean"]),
        ...bands.map((band) => String(Math.round(values[band]!))),
      ]),
    ),
  ];
}

function publishedBlocks(): Block[] {
  return [
    text("Published, for orientation:"),
    ...table(
      ["FFHQ, 1024 px", "FID, published protocol", "parameters", "multiply-adds, as printed"],
      publishedRows.map(({ network, fid, parameters, multiplyAdds }) => [
        network,
        fid.toFixed(2),
        millions(parameters),
        `${(multiplyAdds / 1e9).toFixed(2)} G`,
      ]),
    ),
    { kind: "list", items: comparability },
  ];
}
