import { createRegistry, generate, imageGrid, loadGenerator, writePng } from "../../mod.ts";
import { defineCommand } from "../command.ts";
import { ENGINE_OPTIONS, withEngine } from "../engine_options.ts";
import { loadPlugins, PLUGIN_OPTIONS } from "../load_plugins.ts";

/** Draws images of seeds as one grid. */
export const generateCommand = defineCommand({
  summary: "Draw a grid of images with a teacher or student",
  options: {
    weights: { type: "text", value: "FILE", help: "the generator", required: true },
    seeds: { type: "seeds", value: "SEEDS", help: "0-15 or 1,4,9", default: "0-15" },
    truncation: {
      type: "number",
      value: "PSI",
      help: "pull of styles to their mean: 0 is the mean image, 1 is none",
      default: 0.7,
    },
    "noise-seed": { type: "integer", value: "N", help: "seed of the noise maps", default: 0 },
    columns: { type: "integer", value: "N", help: "images per row; by default square", minimum: 1 },
    out: { type: "text", value: "FILE", help: "PNG to write", default: "grid.png" },
    ...ENGINE_OPTIONS,
    ...PLUGIN_OPTIONS,
  },
  examples: {
    "deno task generate --weights student.safetensors --seeds 0-63 --out faces.png": "64 faces",
  },
  async run({ weights, seeds, truncation, columns, out, plugin, ...values }, { terminal }) {
    const registry = createRegistry();
    await loadPlugins(registry, plugin);
    const generator = await loadGenerator(weights, { registry });
    const noiseSeed = values["noise-seed"];
    const images = await withEngine(
      values,
      (engine) => generate(generator, { seeds, truncation, noiseSeed }, { engine }),
    );
    await writePng(out, await imageGrid(images, columns === undefined ? {} : { columns }));
    terminal.print(`Wrote ${seeds.length} images of the ${generator.kind} ${weights} to ${out}`);
  },
});
