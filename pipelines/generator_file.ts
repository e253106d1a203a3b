/**
 * Generators as files: one safetensors file holds the configuration, the weights and, for a teacher,
 * its discriminator.
 *
 * @module
 */
import type { PartSource, Weights } from "../core/contracts.ts";
import { prefixed, under } from "../core/params.ts";
import { MissingPluginError } from "../core/registry.ts";
import {
  inspectSafetensorsFile,
  readSafetensorsFile,
  writeSafetensorsFile,
} from "../io/safetensors.ts";
import type { DiscriminatorConfig, StudentConfig } from "../networks/config.ts";
import type { Generator } from "../networks/generator.ts";
import { TRAINING_KEY, type TrainingRecord } from "./training_record.ts";

const KIND = "haarlem.kind";
const CONFIG = "haarlem.config";
const DISCRIMINATOR = "haarlem.discriminator";

/** How {@linkcode saveGenerator} writes. */
export interface SaveGeneratorOptions {
  /** `F16` halves the file and rounds weights to 11 bits. Default `F32`. */
  readonly dtype?: "F32" | "F16";
  /** Texts to keep in the file: licence, data, command. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Writes a generator, all or nothing. */
export async function saveGenerator(
  path: string,
  generator: Generator,
  { dtype = "F32", metadata = {} }: SaveGeneratorOptions = {},
): Promise<void> {
  const critic = generator.kind === "teacher" ? generator.discriminator : undefined;
  const weights: Weights = {
    ...generator.weights,
    ...critic && prefixed(critic.weights, "discriminator"),
  };
  await writeSafetensorsFile(path, weights, {
    dtype,
    metadata: {
      ...metadata,
      [KIND]: generator.kind,
      [CONFIG]: JSON.stringify(generator.config),
      ...critic && { [DISCRIMINATOR]: JSON.stringify(critic.config) },
    },
  });
}

/** Reads a generator of this project's own files. A student's parts are looked up in `registry`. */
export async function readGenerator(
  path: string,
  { registry }: { readonly registry: PartSource },
): Promise<Generator> {
  const { tensors, metadata } = await readSafetensorsFile(path);
  const { kind, config, discriminator } = describedGenerator(path, metadata);
  const weights = Object.fromEntries(
    Object.entries(tensors).filter(([name]) => !name.startsWith("discriminator.")),
  );
  if (kind === "student") {
    expectPlugins(path, config, metadata, registry);
    return { kind, config, weights, parts: registry };
  }
  const critic = discriminator &&
    { config: discriminator, weights: under(tensors, "discriminator") };
  return { kind, config, weights, discriminator: critic };
}

/** What the texts of a generator's file say; its networks' sizes are `any`, as in the file. */
export function describedGenerator(path: string, metadata: Readonly<Record<string, string>>) {
  const { [KIND]: kind, [CONFIG]: config, [DISCRIMINATOR]: critic, ...texts } = metadata;
  if ((kind !== "teacher" && kind !== "student") || !config) {
    throw new RangeError(
      `Cannot load a generator from "${path}": expected a file that Haarlem wrote (metadata "${KIND}") but received ${
        kind ? `kind "${kind}"` : "a safetensors file without it"
      }`,
    );
  }
  const discriminator: DiscriminatorConfig | undefined = critic
    ? parsed(path, DISCRIMINATOR, critic)
    : undefined;
  return { kind, config: parsed(path, CONFIG, config), discriminator, texts } as const;
}

function parsed(path: string, key: string, text: string) {
  try {
    return JSON.parse(text);
  } catch {
    throw new RangeError(
      `Cannot load a generator from "${path}": expected JSON in the metadata "${key}" but received "${text}"`,
    );
  }
}

/** A student whose plugin is not loaded is refused here, where the file's name is known. */
function expectPlugins(
  path: string,
  config: StudentConfig,
  metadata: Readonly<Record<string, string>>,
  registry: PartSource,
): void {
  for (const kind of ["upscale", "conv", "demodulation", "head"] as const) {
    try {
      registry.resolve(kind, config[kind]);
    } catch (error) {
      if (!(error instanceof MissingPluginError)) throw error;
      const { plugins = [] } = JSON.parse(metadata[TRAINING_KEY] ?? "{}") as TrainingRecord;
      const given = plugins.map((spec) => `--plugin ${spec}`).join(" ");
      throw new RangeError(
        `Cannot load the student "${path}": expected the plugin "${error.plugin}", whose ${kind} "${
          config[kind].name
        }" it has, but it is not loaded; ${
          given ? `it was distilled with ${given}` : "give it by --plugin, or by use() in code"
        }`,
        { cause: error },
      );
    }
  }
}

/** Whether texts are those of a file that {@linkcode saveGenerator} wrote. */
export function describesGenerator(metadata: Readonly<Record<string, string>>): boolean {
  return KIND in metadata;
}

/** Whether a file is one that {@linkcode saveGenerator} wrote; false if it is anything else. */
export async function isGeneratorFile(path: string): Promise<boolean> {
  if (!path.endsWith(".safetensors")) return false;
  return describesGenerator((await inspectSafetensorsFile(path)).metadata);
}
