import { createRegistry, parseTeacherConfig, teacherPresets, trainTeacher } from "../../mod.ts";
import type { Json } from "../assignments.ts";
import { defineCommand } from "../command.ts";
import { ENGINE_OPTIONS, withEngine } from "../engine_options.ts";
import { loadPlugins, PLUGIN_OPTIONS } from "../load_plugins.ts";
import { asUsage, CONFIG_OPTIONS, readConfig } from "../read_config.ts";
import { RUN_OPTIONS, runPipeline } from "../run_pipeline.ts";

const DEFAULT_PRESET = "avatars-64";

/** Trains a StyleGAN2 teacher. */
export const trainTeacherCommand = defineCommand({
  summary: "Train a StyleGAN2 teacher; the same command again resumes",
  description: `Without options it trains the shipped teacher with the preset ${DEFAULT_PRESET}: ` +
    "rendered avatars, hours on two cores. Presets: " +
    `${Object.keys(teacherPresets).join(", ")}.`,
  options: {
    ...CONFIG_OPTIONS,
    data: { type: "text", value: "DIR", help: "folder of PNG and JPEG files, or avatars" },
    kimg: { type: "number", value: "N", help: "length of the training in thousand images" },
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
    "deno task train-teacher --kimg 60": "the shipped teacher, shorter",
    "deno task train-teacher --data photos --out runs/photos": "pictures of yours",
    "deno task train-teacher --data photos --set losses.0.options.augment.erase=0.5":
      "few pictures: keeps the discriminator from learning them by heart",
  },
  async run(values, context) {
    await withEngine(values, async (open) => {
      const registry = createRegistry();
      await loadPlugins(registry, values.plugin, context, open);
      const written = await readConfig(values, {
        presets: teacherPresets,
        defaultPreset: DEFAULT_PRESET,
        complete: (config) => parseTeacherConfig(config, registry) as unknown as Json,
      });
      const { data, kimg, batch, accumulate, seed } = values;
      const config = asUsage(() =>
        parseTeacherConfig({
          ...written as object,
          ...data !== undefined && { data },
          ...kimg !== undefined && { kimg },
          ...batch !== undefined && { batch },
          ...accumulate !== undefined && { accumulate },
          ...seed !== undefined && { seed },
        }, registry)
      );
      if (values["dry-run"]) return context.terminal.print(JSON.stringify(config, undefined, 2));
      const { out, restart } = values;
      const { signal } = context;
      const engine = await open();
      await runPipeline(
        trainTeacher(config, { engine, registry, out, restart, signal }),
        values,
        context,
      );
    }, context.report);
  },
});
