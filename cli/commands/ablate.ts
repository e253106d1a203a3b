import {
  ablate,
  type AblateInput,
  type AblationEvent,
  createRegistry,
  type DistillInput,
  parseAblateConfig,
  parseConfig,
  presets,
  tableOf,
  type Variant,
  type VariantSummary,
} from "../../mod.ts";
import type { Json } from "../assignments.ts";
import { type Context, defineCommand, UsageError } from "../command.ts";
import { ENGINE_OPTIONS, withEngine } from "../engine_options.ts";
import { launchJobs } from "../launch_jobs.ts";
import { loadPlugins, PLUGIN_OPTIONS } from "../load_plugins.ts";
import { createProgress } from "../progress.ts";
import { asUsage, CONFIG_OPTIONS, readConfig } from "../read_config.ts";
import { RUN_OPTIONS } from "../run_pipeline.ts";

const DEFAULT_PRESET = "avatars-64-quick";

/** A variant as typed: `NAME:PATH=VALUE`; the value is JSON, or text where it is none. */
function parseVariant(text: string): Variant {
  const [, name, field, written] = /^([^:=]+):([^=]+)=(.*)$/.exec(text) ?? [];
  if (!name || !field) {
    throw new UsageError(
      `Cannot read --variant: expected "name:path=value" but received "${text}"`,
    );
  }
  let value: unknown = written;
  try {
    value = JSON.parse(written!);
  } catch { /* a text */ }
  return { name, field, value };
}

/** What is worth a line of its own. */
function noteOf(event: AblationEvent): string | undefined {
  if (event.kind === "ablationStart") return `${event.out}: ${event.notes.join("; ")}`;
  if (event.kind !== "ablationRun") return undefined;
  const { id, state, quality, error } = event;
  const result = quality
    ? `: PSNR ${quality.psnrDb.toFixed(2)} dB, SSIM ${quality.ssim.toFixed(4)}, SWD ${
      quality.swd.toFixed(1)
    }`
    : error
    ? `: ${error}`
    : "";
  return `${state} ${id}${result}`;
}

function summaryLines(summaries: readonly VariantSummary[]): string[] {
  const rows = tableOf(summaries).map((row) =>
    [
      row["variant"]!,
      row["PSNR, dB"]!,
      row["to the base"]!,
      row["SWD"]!,
      row["ms, fused"]!,
    ].map(String)
  );
  const table = [["", "PSNR, dB", "to the base", "SWD", "ms, fused"], ...rows];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  return table.map((row) =>
    row.map((text, i) => i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)).join("  ")
  );
}

/** Shows an ablation to its end. */
async function showAblation(
  events: AsyncIterable<AblationEvent>,
  values: { readonly json: boolean; readonly quiet: boolean },
  { terminal, signal, again }: Context,
): Promise<void> {
  const progress = createProgress(terminal, values);
  let failed = 0;
  try {
    for await (const event of events) {
      if (event.kind === "ablationRun" && event.state === "failed") failed++;
      if (values.json) {
        const { summaries: _, charts: __, ...shown } = { summaries: 0, charts: 0, ...event };
        progress.show(shown);
        continue;
      }
      if (event.kind === "ablationStep") progress.show({ ...event, kind: "step" });
      const note = noteOf(event);
      if (note) progress.note(note);
      if (event.kind !== "ablationEnd") continue;
      progress.stop();
      for (const line of summaryLines(event.summaries)) terminal.print(line);
      terminal.print(`Wrote ${event.path}`);
    }
  } finally {
    progress.stop();
  }
  if (signal.aborted) {
    terminal.warn(`Stopped; the same command goes on from there: ${again}`);
  } else if (failed > 0) {
    throw new Error(
      `Cannot finish the ablation: ${failed} runs failed, the others are in the table; the same command tries them again: ${again}`,
    );
  }
}

/** Distils variants that differ in one field, and compares them. */
export const ablateCommand = defineCommand({
  summary: "Distil variants that differ in one field, and compare quality and cost",
  description:
    `Variants: all, the groups heads, demodulation, upscale, conv, domain and losses, or names of variants, which --dry-run lists. Every run can be stopped; the same command goes on. The base is the preset ${DEFAULT_PRESET} if none is named.`,
  options: {
    ...CONFIG_OPTIONS,
    teacher: { type: "text", value: "FILE", help: "the teacher: a file, or a shipped one's name" },
    variants: { type: "text", value: "NAMES", help: "with commas between", default: "all" },
    variant: {
      type: "texts",
      value: "NAME:PATH=VALUE",
      help: "a variant of yours: gain-1:student.head.options.gain=1",
    },
    steps: { type: "integer", value: "N", help: "steps of each run", minimum: 1 },
    seeds: { type: "seeds", value: "SEEDS", help: "one run of every variant each", default: "0-2" },
    jobs: {
      type: "integer",
      value: "N",
      help: "runs at a time, each a process",
      minimum: 1,
      default: 1,
    },
    images: {
      type: "integer",
      value: "N",
      help: "images that measure a student",
      minimum: 1,
      default: 256,
    },
    ...RUN_OPTIONS,
    ...ENGINE_OPTIONS,
    ...PLUGIN_OPTIONS,
    "dry-run": { type: "flag", help: "list the runs and stop" },
  },
  examples: {
    "deno task ablate --variants heads,upscale --steps 500 --jobs 2": "two questions, some minutes",
    "deno task ablate --plugin ./acme.ts --variants upscale": "your upsampling among the others",
  },
  async run(values, context) {
    const { jobs } = values;
    const total = values.threads ?? navigator.hardwareConcurrency;
    const threads = Math.max(1, Math.floor(total / jobs));
    const { engine: name, device, precision, openvino, plugin } = values;
    const engineOptions = { engine: name, device, precision, openvino, threads };
    const launcher = jobs > 1 && !values["dry-run"]
      ? launchJobs({ engine: engineOptions, plugins: plugin }, context.report)
      : undefined;
    const { signal } = context;
    try {
      await withEngine(engineOptions, async (open) => {
        const registry = createRegistry();
        const plugins = await loadPlugins(registry, plugin, context, open);
        const written = await readConfig(values, {
          presets,
          defaultPreset: DEFAULT_PRESET,
          complete: (config) => parseConfig(config, registry) as unknown as Json,
        }) as unknown as DistillInput;
        const { teacher, steps, seeds, images, out, restart } = values;
        const named = values.variants.split(",").map((name) => name.trim()).filter(Boolean);
        const input: AblateInput = {
          name: out?.split(/[\\/]/).filter(Boolean).at(-1)?.replaceAll(/[^\w.-]/g, "-") ??
            "ablation",
          base: {
            ...written,
            ...teacher !== undefined && { teacher },
            ...plugins.length > 0 && { plugins },
          },
          variants: [...named, ...values.variant.map(parseVariant)],
          seeds: [...seeds],
          images,
          ...steps !== undefined && { steps },
        };
        const config = asUsage(() => parseAblateConfig(input, registry));
        if (config.base.teacher === undefined) {
          throw new UsageError(
            `Cannot run the ablation "${config.name}": expected a teacher but received none; give --teacher FILE`,
          );
        }
        if (values["dry-run"]) {
          for (const { name, field, value, question } of config.variants) {
            const what = field && `${field}=${JSON.stringify(value)}`;
            context.terminal.print([`${name}:`, what, question].filter(Boolean).join(" "));
          }
          return;
        }
        const engine = await open();
        const runJob = launcher?.runJob;
        const own = { engine, registry, out, restart, signal, jobs, runJob };
        await showAblation(ablate(input, own), values, context);
      }, context.report);
    } finally {
      await launcher?.close();
    }
  },
});
