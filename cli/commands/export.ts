import {
  createRegistry,
  exportOnnx,
  type ExportOnnxOptions,
  loadGenerator,
  type OnnxPort,
} from "../../mod.ts";
import { defineCommand } from "../command.ts";
import { ENGINE_OPTIONS, withEngine } from "../engine_options.ts";
import { loadPlugins, PLUGIN_OPTIONS } from "../load_plugins.ts";

const described = (ports: readonly OnnxPort[]) =>
  ports.map(({ name, shape }) => `${name} [${shape}]`).join(", ");

/** Writes a generator as an ONNX file. */
export const exportCommand = defineCommand({
  summary: "Write a student or teacher as an ONNX file for phones, web pages and other programs",
  description:
    "The file has standard operators only (opset 17) and float32 inputs and outputs: latents in, image in [-1, 1] out. Demodulation with constant coefficients is merged into the kernels. The file is run once and compared before it is written.",
  options: {
    weights: { type: "text", value: "FILE", help: "the generator", required: true },
    out: { type: "text", value: "FILE", help: "ONNX file to write", default: "student.onnx" },
    from: {
      type: "text",
      value: "INPUT",
      help: "what the file is given: z, or w without the mapping network",
      choices: ["z", "w"],
      default: "z",
    },
    noise: {
      type: "text",
      value: "NOISE",
      help: "fixed maps of --noise-seed, maps as inputs, or none",
      choices: ["fixed", "input", "none"],
      default: "fixed",
    },
    "noise-seed": { type: "integer", value: "N", help: "seed of fixed noise maps", default: 0 },
    batch: { type: "integer", value: "N", help: "images per run", default: 1, minimum: 1 },
    size: {
      type: "integer",
      value: "PX",
      help: "side of the image: a student can stop at an auxiliary head",
    },
    layout: {
      type: "text",
      value: "ORDER",
      help: "of the image: nhwc as a canvas has it, nchw as PyTorch has it",
      choices: ["nhwc", "nchw"],
      default: "nhwc",
    },
    half: { type: "flag", help: "store weights in 16 bits: half the file" },
    json: { type: "flag", help: "print what was written as JSON" },
    ...ENGINE_OPTIONS,
    ...PLUGIN_OPTIONS,
  },
  examples: {
    "deno task export --weights avatars-64 --half --out student.onnx": "a file for a web page",
    "deno task export --weights avatars-64 --size 32 --out small.onnx": "the head of 32 px",
  },
  async run({ weights, out, plugin, size, half, batch, json, ...given }, context) {
    const registry = createRegistry();
    const { from, noise, layout, "noise-seed": noiseSeed, ...engineOptions } = given;
    await withEngine(engineOptions, async (open) => {
      await loadPlugins(registry, plugin, context, open);
      const generator = await loadGenerator(weights, { registry, which: "student" });
      const { bytes, inputs, outputs, largestDifference } = await exportOnnx(generator, {
        // Each is one of the choices above.
        from: from as NonNullable<ExportOnnxOptions["from"]>,
        noise: noise as NonNullable<ExportOnnxOptions["noise"]>,
        layout: layout as NonNullable<ExportOnnxOptions["layout"]>,
        path: out,
        noiseSeed,
        batch,
        half,
        ...size !== undefined && { sizePx: size },
      }, { engine: await open() });
      const summary = { out, bytes: bytes.length, inputs, outputs, largestDifference };
      if (json) return context.terminal.print(JSON.stringify(summary));
      context.terminal.print(`Wrote ${out}: ${(bytes.length / 1e6).toFixed(2)} MB`);
      context.terminal.print(`  takes ${described(inputs)}`);
      context.terminal.print(`  gives ${described(outputs)}, in about [-1, 1]`);
      context.terminal.print(
        `  differs from the engine's image by ${largestDifference.toExponential(1)} at most`,
      );
    }, context.report);
  },
});
