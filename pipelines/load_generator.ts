/**
 * Loads generators: this project's files, and everything that `convert` knows.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { PartSource } from "../core/contracts.ts";
import { didYouMean } from "../core/nearest.ts";
import { under } from "../core/params.ts";
import { quote } from "../io/describe.ts";
import { isRemote, withDownload } from "../io/download.ts";
import { openFile } from "../io/random_access.ts";
import {
  type Discriminator,
  expectTeacher,
  type Generator,
  type Teacher,
} from "../networks/generator.ts";
import { createRegistry } from "../registry.ts";
import { convert } from "./convert.ts";
import { isGeneratorFile, readGenerator } from "./generator_file.ts";
import { addressOf, models } from "./models.ts";

/** How {@linkcode loadGenerator} loads. */
export interface LoadGeneratorOptions {
  /** Where a student's parts are looked up; the built-in ones by default. */
  readonly registry?: PartSource;
  /** Which of a shipped model's two networks its name stands for. */
  readonly which?: "teacher" | "student";
}

/**
 * Loads a generator.
 *
 * @param source Path or URL (`file:`, `https:`) of a `.safetensors` file of this project, or of a
 * `.pt`, `.pkl`, `.ckpt` or `.safetensors` file that `convert` knows; or the name of a shipped model.
 * @throws {Error} If the file cannot be read or holds no generator.
 */
export async function loadGenerator(
  source: string | URL,
  { registry = createRegistry(), which = "teacher" }: LoadGeneratorOptions = {},
): Promise<Generator> {
  const address = addressOf(String(source), which);
  if (isRemote(address)) return await withDownload(address, (path) => loadFile(path, registry));
  const path = address.startsWith("file:") ? fileURLToPath(address) : address;
  expectFile(path);
  return await loadFile(path, registry);
}

async function loadFile(path: string, registry: PartSource): Promise<Generator> {
  if (await isGeneratorFile(path)) return await readGenerator(path, { registry });
  const converted = await convert(path);
  switch (converted.kind) {
    case "teacher": {
      const { kind, config, weights, discriminator } = converted;
      const own = Object.fromEntries(
        Object.entries(weights).filter(([name]) => !name.startsWith("discriminator.")),
      );
      if (!discriminator) return { kind, config, weights: own };
      const critic = { config: discriminator, weights: under(weights, "discriminator") };
      return { kind, config, weights: own, discriminator: critic };
    }
    case "student": {
      const { kind, config, weights } = converted;
      return { kind, config, weights, parts: registry };
    }
    default:
      throw new TypeError(
        `Cannot load a generator from ${
          quote(path)
        }: expected a teacher or a student but received weights of ${converted.kind}`,
      );
  }
}

function expectFile(path: string): void {
  try {
    using _ = openFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const names = Object.keys(models);
    throw new RangeError(
      `Cannot load ${quote(path)}: expected a file, or a shipped model (${
        names.map((name) => quote(name)).join(", ")
      }), but found neither${didYouMean(path, names)}`,
      { cause: error },
    );
  }
}

/** Loads a generator that must be a teacher. */
export async function loadTeacher(
  source: string | URL,
  options: LoadGeneratorOptions = {},
): Promise<Teacher> {
  const generator = await loadGenerator(source, { ...options, which: "teacher" });
  return expectTeacher(generator, quote(String(source)));
}

/**
 * Loads the discriminator of a teacher's file, such as `loadGenerator` takes.
 *
 * @throws {RangeError} If the file holds none.
 *
 * @example
 * ```ts
 * import { loadDiscriminator, models } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const { config } = await loadDiscriminator(models["avatars-64"].teacher);
 * assert.equal(config.sizePx, 64);
 * ```
 */
export async function loadDiscriminator(
  source: string | URL,
  options: LoadGeneratorOptions = {},
): Promise<Discriminator> {
  const { discriminator } = await loadTeacher(source, options);
  if (discriminator) return discriminator;
  throw new RangeError(
    `Cannot load a discriminator from ${
      quote(String(source))
    }: expected a teacher with its discriminator but its file has none`,
  );
}
