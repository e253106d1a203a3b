import {
  channelsOf,
  type Cost,
  createRegistry,
  discriminatorCost,
  inferenceCost,
  loadGenerator,
  mappingCost,
  type NetworkCost,
  parseConfig,
  presets,
  type PrintedFigure,
  printedFigures,
  type Registry,
  studentConfig,
  studentCost,
  type StudentParts,
  type TeacherConfig,
  teacherCost,
  uncountedNote,
  uncountedParts,
} from "../../mod.ts";
import type { Json } from "../assignments.ts";
import { defineCommand, UsageError } from "../command.ts";
import { loadPlugins, PLUGIN_OPTIONS } from "../load_plugins.ts";
import { asUsage, CONFIG_OPTIONS, readConfig } from "../read_config.ts";

const COLUMNS = ["parameters", "convolution", "linear", "filter"] as const;
const PAPER_PX = 1024;

/** StyleGAN2's config-f, which every preset without a teacher file is for. */
function configF(sizePx: number): TeacherConfig {
  return { sizePx, styleDim: 512, mappingLayers: 8, channels: channelsOf(sizePx) };
}

/** The teacher that is counted: of a file, of a size, or of the size in the preset's name. */
async function teacherOf(
  { teacher, sizePx, preset }: {
    readonly teacher: string | undefined;
    readonly sizePx: number | undefined;
    readonly preset: string;
  },
  registry: Registry,
): Promise<TeacherConfig> {
  if (sizePx !== undefined) return configF(sizePx);
  if (teacher !== undefined) {
    const generator = await loadGenerator(teacher, { registry });
    if (generator.kind === "teacher") return generator.config;
    throw new UsageError(
      `Cannot count "${teacher}": expected a teacher but received a student; name its teacher`,
    );
  }
  const [size] = /\d+$/.exec(preset) ?? [];
  if (size) return configF(Number(size));
  throw new UsageError(
    `Cannot count "${preset}": expected a teacher or a size but received none; give --teacher FILE or --size-px N`,
  );
}

const count = (value: number) => Math.round(value).toLocaleString("en-US");

function table(rows: readonly (readonly [string, Cost])[]): string[] {
  const head = ["", "parameters", "multiply-adds", "of linear layers", "of FIR filters"];
  const cells = [
    head,
    ...rows.map(([name, cost]) => [name, ...COLUMNS.map((column) => count(cost[column]))]),
  ];
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  return cells.map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join("  ")
      .trimEnd()
  );
}

/** What the paper prints beside what is counted here, and why they differ. */
function paperLines(costs: Readonly<Record<PrintedFigure["network"], Cost>>): string[] {
  return printedFigures.map(({ network, quantity, printed, reason }) => {
    const own = costs[network][quantity === "parameters" ? "parameters" : "convolution"];
    const name = quantity === "parameters" ? "parameters" : "multiply-adds";
    return `  ${network} ${name}: ${count(own)} here, ${
      count(printed)
    } in the paper, which ${reason}`;
  });
}

/** Counts parameters and multiply-adds. */
export const costCommand = defineCommand({
  summary: "Count parameters and multiply-adds of teacher and student",
  description:
    "Multiply-adds are of one image. Those of the convolutions are what papers quote; upsampling convolutions count at their input grid.",
  options: {
    ...CONFIG_OPTIONS,
    teacher: { type: "text", value: "FILE", help: "the teacher: a file, or a shipped one's name" },
    "size-px": { type: "integer", value: "N", help: "StyleGAN2's config-f of this size instead" },
    layers: { type: "flag", help: "show every layer" },
    json: { type: "flag", help: "print JSON" },
    ...PLUGIN_OPTIONS,
  },
  examples: { "deno task cost --preset ffhq-1024": "the networks of the paper" },
  async run(values, context) {
    const { terminal } = context;
    const registry = createRegistry();
    await loadPlugins(registry, values.plugin, context);
    const json = await readConfig(values, {
      presets,
      defaultPreset: "avatars-64",
      complete: (config) => parseConfig(config, registry) as unknown as Json,
    });
    const config = asUsage(() => parseConfig(json, registry));
    const teacher = await teacherOf({
      teacher: values.teacher ?? config.teacher,
      sizePx: values["size-px"],
      preset: config.name,
    }, registry as Registry);
    const student = asUsage(() => studentConfig(teacher, config.student as StudentParts));
    const networks: Readonly<Record<string, NetworkCost>> = {
      "mapping (shared)": mappingCost(teacher),
      "teacher": teacherCost(teacher),
      "discriminator": discriminatorCost({
        sizePx: teacher.sizePx,
        channels: teacher.channels,
        stddevGroup: 4,
      }),
      "student in training": studentCost(student, registry),
      "student for inference": inferenceCost(student, registry),
    };
    const totals = Object.entries(networks).map(([name, { total }]) => [name, total] as const);
    const isPaper = teacher.sizePx === PAPER_PX &&
      String(teacher.channels) === String(channelsOf(PAPER_PX));
    if (values.json) {
      const printed = isPaper ? { printed: printedFigures } : {};
      const shown = values.layers ? networks : Object.fromEntries(totals);
      return terminal.print(JSON.stringify({ teacher, student, costs: shown, ...printed }));
    }
    const name = values["size-px"] === undefined ? values.teacher ?? config.name : "config-f";
    terminal.print(`${name}: ${teacher.sizePx} px, styles of ${teacher.styleDim}`);
    if (values.layers) {
      for (const [name, { layers }] of Object.entries(networks)) {
        terminal.print(`\n${name}`);
        for (const line of table(layers.map((layer) => [layer.layer, layer]))) terminal.print(line);
      }
      terminal.print("");
    }
    for (const line of table(totals)) terminal.print(line);
    const note = uncountedNote(uncountedParts(networks["student in training"]!));
    if (note) terminal.print(note);
    if (!isPaper) return;
    terminal.print("");
    for (
      const line of paperLines({
        teacher: networks["teacher"]!.total,
        student: networks["student for inference"]!.total,
      })
    ) terminal.print(line);
  },
});
