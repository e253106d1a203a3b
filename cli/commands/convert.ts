import {
  convert,
  type Converted,
  createRegistry,
  type Generator,
  saveFeatures,
  saveGenerator,
  type Weights,
} from "../../mod.ts";
import { defineCommand, UsageError } from "../command.ts";

const KINDS = ["teacher", "student", "vgg16", "inception"] as const;
const DISCRIMINATOR = "discriminator.";

/** The generator of a conversion as this project keeps it: the discriminator apart. */
function generatorOf(converted: Exclude<Converted, { kind: "vgg16" | "inception" }>): Generator {
  const weights: Record<string, Weights[string]> = {};
  const critic: Record<string, Weights[string]> = {};
  for (const [name, weight] of Object.entries(converted.weights)) {
    if (name.startsWith(DISCRIMINATOR)) critic[name.slice(DISCRIMINATOR.length)] = weight;
    else weights[name] = weight;
  }
  if (converted.kind === "student") {
    return { kind: "student", config: converted.config, weights, parts: createRegistry() };
  }
  const { config, discriminator } = converted;
  return {
    kind: "teacher",
    config,
    weights,
    discriminator: discriminator ? { config: discriminator, weights: critic } : undefined,
  };
}

/** Sentences about a conversion. */
function reportLines({ report, ...converted }: Converted): string[] {
  const left = Object.entries(report.leftOut).map(([part, count]) => `${part} (${count})`);
  return [
    ...report.found,
    ...report.wMean === "estimated" ? ["the average style was estimated: the file has none"] : [],
    ...left.length > 0 ? [`left out: ${left.join(", ")}`] : [],
    ..."noise" in converted && converted.noise.length > 0
      ? ["left out: the file's fixed noise maps; noise is drawn from a seed here"]
      : [],
  ];
}

/** Reads weights of other programs, or our own, and writes them as this project's. */
export const convertCommand = defineCommand({
  summary: "Turn weights of other programs into safetensors",
  description:
    "Reads StyleGAN2 generators of rosinality's and NVlabs' PyTorch code, teacher and student of MobileStyleGAN.pytorch, torchvision's VGG16 and pytorch-fid's Inception, from .pt, .pth, .pkl, .ckpt or .safetensors files. No code in a file is run. Teachers and students of this project are written anew, with every text in their files: as 16-bit numbers with --half, else as 32-bit ones.",
  options: {
    from: {
      type: "texts",
      value: "FILE",
      help: "file to read, also without --from; two if the network is in two",
    },
    out: { type: "text", value: "FILE", help: "safetensors file to write", required: true },
    kind: {
      type: "text",
      value: "KIND",
      help: "which network of a file that holds several",
      choices: KINDS,
    },
    half: { type: "flag", help: "write 16-bit numbers: half the size, weights of 11 bits" },
    seed: { type: "integer", value: "N", help: "seed of an estimated average style", default: 0 },
    json: { type: "flag", help: "print the report as JSON" },
  },
  positional: "from",
  examples: {
    "deno task convert ffhq.pkl --out ffhq.safetensors": "a teacher of NVlabs' code",
    "deno task convert runs/mine/student.safetensors --half --out student.safetensors":
      "a student of one's own in half the size",
  },
  async run({ from, out, kind, half, seed, json }, { terminal }) {
    if (from.length === 0) {
      throw new UsageError("Cannot run convert: expected FILE but received nothing");
    }
    const converted = await convert(from, { seed, ...kind && { kind: kind as "teacher" } });
    const dtype = half ? "F16" as const : "F32" as const;
    const { source } = converted.report;
    // Our own file says where it comes from, if it comes from others.
    const metadata = source === "haarlem" ? converted.metadata : { "haarlem.source": source };
    if ("config" in converted) {
      await saveGenerator(out, generatorOf(converted), { dtype, metadata });
    } else await saveFeatures(out, converted, { dtype, metadata });
    if (json) terminal.print(JSON.stringify({ kind: converted.kind, out, ...converted.report }));
    else {
      for (const line of reportLines(converted)) terminal.print(line);
      terminal.print(`Wrote ${out}`);
    }
  },
});
