import {
  animatedGif,
  createRegistry,
  type Engine,
  generate,
  generateTensors,
  type Generator,
  imageGrid,
  interpolateStyles,
  loadGenerator,
  mixStyles,
  readSafetensorsFile,
  writePicture,
  writeSafetensorsFile,
} from "../../mod.ts";
import { type Context, defineCommand, UsageError } from "../command.ts";
import { ENGINE_OPTIONS, withEngine } from "../engine_options.ts";
import { loadPlugins, PLUGIN_OPTIONS } from "../load_plugins.ts";

const SHOWN_PX = 128; // small images are enlarged to about this size in animations

/** The options that say what is drawn. */
interface Drawing {
  readonly seeds: readonly number[];
  readonly truncation: number;
  readonly "noise-seed": number;
  readonly mix: readonly number[] | undefined;
  readonly "mix-from": number | undefined;
  readonly interpolate: number | undefined;
  readonly columns: number | undefined;
  readonly out: string;
}

async function draw(
  generator: Generator,
  values: Drawing,
  engine: Engine,
): Promise<string> {
  const { seeds, truncation, mix, interpolate, columns, out } = values;
  const noiseSeed = values["noise-seed"];
  if (mix) {
    const from = values["mix-from"];
    const options = { rows: seeds, columns: mix, truncation, noiseSeed };
    const table = await mixStyles(generator, from === undefined ? options : { ...options, from }, {
      engine,
    });
    await writePicture(out, await imageGrid(table, { columns: mix.length + 1 }));
    return `a table of ${seeds.length} x ${mix.length} mixed styles`;
  }
  if (interpolate !== undefined) {
    const animated = out.endsWith(".gif");
    const options = { seeds, frames: interpolate, loop: animated, truncation, noiseSeed };
    const frames = await interpolateStyles(generator, options, { engine });
    const scale = Math.max(1, Math.round(SHOWN_PX / generator.config.sizePx));
    await writePicture(
      out,
      animated
        ? await animatedGif(frames, { scale })
        : await imageGrid(frames, { columns: columns ?? interpolate }),
    );
    return `${frames.shape[0]} frames between ${seeds.length} seeds`;
  }
  const images = await generate(generator, { seeds, truncation, noiseSeed }, { engine });
  await writePicture(out, await imageGrid(images, columns === undefined ? {} : { columns }));
  return `${seeds.length} images`;
}

/** Draws images, walks and mixtures, or computes exact tensors. */
export const generateCommand = defineCommand({
  summary: "Draw images of a teacher or student: grids, mixed styles, interpolations",
  description:
    "With --inputs it reads named tensors instead: z [N,D], or w [N,D] or [N,L,D]; optionally noise_0, noise_1, ... [1 or N,1,r,r] and truncation. --outputs then holds image (NCHW, not clamped), w and, of a student, head_0, head_1, ...",
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
    mix: {
      type: "seeds",
      value: "SEEDS",
      help: "mix styles: --seeds give the coarse layers (rows), these the fine ones (columns)",
    },
    "mix-from": { type: "integer", value: "N", help: "first fine layer of --mix", minimum: 0 },
    interpolate: {
      type: "integer",
      value: "N",
      help: "walk from seed to seed in N frames each; an --out that ends in .gif is animated",
      minimum: 1,
    },
    columns: { type: "integer", value: "N", help: "images per row; by default square", minimum: 1 },
    out: { type: "text", value: "FILE", help: "picture to write", default: "grid.png" },
    inputs: { type: "text", value: "FILE", help: "safetensors with exact inputs" },
    outputs: { type: "text", value: "FILE", help: "safetensors to write the exact outputs to" },
    ...ENGINE_OPTIONS,
    ...PLUGIN_OPTIONS,
  },
  examples: {
    "deno task generate --weights student.safetensors --seeds 0-63 --out faces.png": "64 faces",
    "deno task generate --weights teacher.pkl --seeds 0-3 --mix 10-15": "a table of mixed styles",
    "deno task generate --weights student.safetensors --seeds 1,5,9 --interpolate 16 --out walk.gif":
      "an animation",
    "deno task generate --weights FILE --inputs in.safetensors --outputs out.safetensors":
      "exact tensors, to compare with other codes",
  },
  async run(values, context: Context) {
    const { terminal, report } = context;
    const { weights, inputs, outputs, out } = values;
    if ((inputs === undefined) !== (outputs === undefined)) {
      throw new UsageError(
        `Cannot generate: expected --inputs and --outputs together but received only ${
          inputs === undefined ? "--outputs" : "--inputs"
        }`,
      );
    }
    await withEngine(values, async (open) => {
      const registry = createRegistry();
      await loadPlugins(registry, values.plugin, context, open);
      const generator = await loadGenerator(weights, { registry, which: "student" });
      const engine = await open();
      if (inputs !== undefined) {
        const { tensors } = await readSafetensorsFile(inputs);
        const made = await generateTensors(generator, tensors, { engine });
        await writeSafetensorsFile(outputs!, made);
        terminal.print(
          `Wrote ${Object.keys(made).join(", ")} of the ${generator.kind} to ${outputs}`,
        );
      } else {
        const what = await draw(generator, values, engine);
        terminal.print(`Wrote ${what} of the ${generator.kind} ${weights} to ${out}`);
      }
    }, report);
  },
});
