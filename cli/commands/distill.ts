import { createRegistry, distill, parseConfig, presets } from "../../mod.ts";
import type { Json } from "../assignments.ts";
import { defineCommand, UsageError } from "../command.ts";
import { ENGINE_OPTIONS, withEngine } from "../engine_options.ts";
import { loadPlugins, PLUGIN_OPTIONS } from "../load_plugins.ts";
import { asUsage, CONFIG_OPTIONS, readConfig } from "../read_config.ts";
import { RUN_OPTIONS, runPipeline } from "../run_pipeline.ts";

const DEFAULT_PRESET = "avatars-64-quick";

/** The fields that have an option of their own, where it was given. */
function given(fields: Readonly<Record<string, string | number | undefined>>): Json {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string | number] =>
      field[1] !== undefined
    ),
  );
}

/** Distils a student from a teacher. */
export const distillCommand = defineCommand({
  summary: "Distil a student from a teacher; the same command again resumes",
  description:
    `Without options it distils the shipped teacher with the preset ${DEFAULT_PRESET}. Presets: ${
      Object.keys(presets).join(", ")
    }.`,
  options: {
    ...CONFIG_OPTIONS,
    teacher: { type: "text", value: "FILE", help: "the teacher: a file, or a shipped one's name" },
    steps: { type: "integer", value: "N", help: "steps of the whole run", minimum: 1 },
    batch: { type: "integer", value: "N", help: "images per step", minimum: 1 },
    accumulate: {
      type: "integer",
      value: "N",
      help: "compute a step in N parts and add their gradients: less memory, the same result",
      minimum: 1,
    },
    seed: { type: "integer", value: "N", help: "seed of everything random", minimum: 0 },
    ...RUN_OPTIONS,
    ...ENGINE_OPTIONS,
    ...PLUGIN_OPTIONS,
    "dry-run": { type: "flag", help: "print the resolved configuration and stop" },
  },
  examples: {
    "deno task distill": "the main job, some minutes",
    "deno task distill --set student.head.name=skip --out runs/skip": "an ablation",
    "deno task distill --preset ffhq-256 --teacher ffhq.safetensors": "a teacher of yours",
  },
  async run(values, context) {
    await withEngine(values, async (open) => {
      const registry = createRegistry();
      const plugins = await loadPlugins(registry, values.plugin, context, open);
      const written = await readConfig(values, {
        presets,
        defaultPreset: DEFAULT_PRESET,
        complete: (config) => parseConfig(config, registry) as unknown as Json,
      });
      const { teacher, steps, batch, accumulate, seed } = values;
      const config = asUsage(() =>
        parseConfig(
          {
            ...written as object,
            ...given({ teacher, steps, batch, accumulate, seed }) as object,
            ...plugins.length > 0 && { plugins },
          },
          registry,
        )
      );
      if (values["dry-run"]) return context.terminal.print(JSON.stringify(config, undefined, 2));
      if (config.teacher === undefined) {
        throw new UsageError(
          `Cannot distil "${config.name}": expected a teacher but received none; give --teacher FILE`,
        );
      }
      const { out, restart } = values;
      const { signal, again: command } = context;
      const engine = await open();
      await runPipeline(
        distill(config, { engine, registry, out, restart, signal, command }),
        values,
        context,
      );
    }, context.report);
  },
});
