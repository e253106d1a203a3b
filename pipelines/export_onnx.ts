/**
 * Generators as ONNX files, for phones, web pages and other programs.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../core/contracts.ts";
import { lift } from "../core/flat.ts";
import { under } from "../core/params.ts";
import type { Engine } from "../engine/mod.ts";
import { exportProgram } from "../engine/export_program.ts";
import { writeFileAtomic } from "../io/atomic_write.ts";
import { runOnnx } from "../io/run_onnx.ts";
import { inverseHaar } from "../layers/haar.ts";
import { noiseShapes, studentLastPx } from "../networks/config.ts";
import type { Generator } from "../networks/generator.ts";
import { mapping, truncate } from "../networks/mapping.ts";
import { exitSizes } from "./evaluate/early_exits.ts";
import { forInference } from "./for_inference.ts";
import { latentsOf, noiseOf } from "./generate_images.ts";
import { runSynthesis } from "./run_generator.ts";

/** How {@linkcode exportOnnx} writes. */
export interface ExportOnnxOptions {
  /** File to write, all or nothing; without it the bytes are only returned. */
  readonly path?: string;
  /** What the file is given: latents, or styles, without the mapping network. Default `z`. */
  readonly from?: "z" | "w";
  /**
   * Noise maps: those of `noiseSeed` as constants, as inputs `noise_0`, ..., or none. Default
   * `fixed`; `none` is the fastest and smoothest.
   */
  readonly noise?: "fixed" | "input" | "none";
  /** Seed of fixed noise maps; 0 by default. */
  readonly noiseSeed?: number;
  /** Images per run: the file works for this number alone. Default 1. */
  readonly batch?: number;
  /** Side of the image: a student can stop at a smaller one, at its auxiliary head. */
  readonly sizePx?: number;
  /** `nhwc`: `[N,S,S,3]`, as a canvas wants it; `nchw`: `[N,3,S,S]`. Default `nhwc`. */
  readonly layout?: "nhwc" | "nchw";
  /** Whether weights are stored in 16 bits: half the size. Sums stay in 32. Default `false`. */
  readonly half?: boolean;
  /** Texts to keep in the file: licence, data, command. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A tensor that the file takes or gives, float32. */
export interface OnnxPort {
  /** As the runtime is given it. */
  readonly name: string;
  /** Sizes of the axes; empty for a scalar. */
  readonly shape: readonly number[];
}

/** A generator as an ONNX file. */
export interface ExportedOnnx {
  /** The file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** `z` or `w` `[N,D]`; `truncation` `[]` with `z`; noise maps `[1,r,r,1]` if they are asked for. */
  readonly inputs: readonly OnnxPort[];
  /** `image`, in about [-1, 1], not clamped. */
  readonly outputs: readonly OnnxPort[];
  /** Largest difference between what the file computed in ONNX Runtime and what the engine did. */
  readonly largestDifference: number;
}

interface Inputs<T> {
  readonly latents: T;
  readonly truncation?: T;
  readonly noise: readonly T[];
}

/**
 * Writes a generator as an ONNX model (opset 17, standard operators only) that any runtime can open:
 * ONNX Runtime for phones and web pages, OpenVINO, and others. Whatever depends on no input is
 * computed beforehand; demodulation with constant coefficients is merged into the kernels.
 *
 * The file is opened and run before it is written.
 *
 * @throws {RangeError} If an option does not fit the generator.
 *
 * @example
 * ```ts
 * import { createEngine, exportOnnx, loadGenerator, models } from "haarlem";
 * import assert from "node:assert/strict";
 *
 * const engine = await createEngine();
 * const student = await loadGenerator(models["avatars-64"].student);
 * const { inputs, outputs, largestDifference } = await exportOnnx(student, {}, { engine });
 * assert.deepEqual(inputs.map(({ name }) => name), ["z", "truncation"]);
 * assert.deepEqual(outputs, [{ name: "image", shape: [1, 64, 64, 3] }]);
 * assert.ok(largestDifference < 1e-4);
 * await engine.dispose();
 * ```
 */
export async function exportOnnx(
  generator: Generator,
  options: ExportOnnxOptions,
  { engine }: { readonly engine: Engine },
): Promise<ExportedOnnx> {
  const { from = "z", noise = "fixed", noiseSeed = 0, batch = 1, layout = "nhwc" } = options;
  checkBatch(batch);
  const { kind, config, weights } = generator;
  const maps = noiseMaps(generator, noiseSeed);
  const psi = from === "z" && weights["mapping.w_mean"] !== undefined;
  const inputs: Inputs<HostArray> = {
    latents: latentsOf(Array.from({ length: batch }, (_, i) => i), config.styleDim),
    ...psi && { truncation: { shape: [], data: Float32Array.of(0.7) } },
    noise: noise === "input" ? maps : [],
  };
  const named = { // in the order of the program's inputs: the fields of `inputs` by their sorted names
    [from]: inputs.latents,
    ...Object.fromEntries(inputs.noise.map((map, i) => [`noise_${i}`, map])),
    ...inputs.truncation && { truncation: inputs.truncation },
  };
  const own = noise === "none"
    ? maps.map(({ shape, data }) => ({ shape, data: data.map(() => 0) }))
    : maps;
  const draw = drawing(generator, { ...options, from, layout, noise: own });
  const compiled = engine.compile(draw, { name: `exported ${kind}` });
  try {
    const bytes = exportProgram(compiled.program(inputs), {
      inputs: Object.keys(named),
      outputs: ["image"],
      half: options.half ?? false,
      metadata: {
        ...options.metadata,
        "haarlem.kind": kind,
        "haarlem.config": JSON.stringify(config),
        "haarlem.image": `float32, ${layout.toUpperCase()}, in about [-1, 1], not clamped`,
      },
    });
    const expected = await compiled(inputs);
    const { image } = await runOnnx(bytes, named);
    if (options.path !== undefined) await writeFileAtomic(options.path, [bytes]);
    return {
      bytes,
      inputs: Object.entries(named).map(([name, { shape }]) => ({ name, shape })),
      outputs: [{ name: "image", shape: expected.shape }],
      largestDifference: largestDifference(expected.data, image!.data),
    };
  } finally {
    await compiled.dispose();
  }
}

/** Traced: the image of latents or styles; `noise` is what is used where none is given. */
function drawing(
  generator: Generator,
  { from, layout, noise, sizePx = generator.config.sizePx }: {
    readonly from: "z" | "w";
    readonly layout: "nhwc" | "nchw";
    readonly noise: readonly HostArray[];
    readonly sizePx?: number;
  },
) {
  const head = headOf(generator, sizePx);
  const lean = generator.kind === "student" && head === undefined
    ? forInference(generator)
    : generator;
  return ({ latents, truncation, noise: given }: Inputs<tf.Tensor>): tf.Tensor => {
    const w = from === "z" ? stylesOf(generator, latents, truncation) : latents;
    const maps = given.length > 0
      ? given
      : noise.map(({ shape, data }) => tf.tensor(data, [...shape]));
    const { image, heads } = runSynthesis(lean, { w, noise: maps as tf.Tensor4D[] });
    const made = head === undefined ? image : inverseHaar(heads[head] as tf.Tensor4D);
    return layout === "nchw" ? tf.transpose(made, [0, 3, 1, 2]) : made;
  };
}

function stylesOf(generator: Generator, z: tf.Tensor, psi: tf.Tensor | undefined): tf.Tensor {
  const params = under(lift(generator.weights), "mapping");
  const w = mapping(params, z as tf.Tensor2D, generator.config);
  return psi ? truncate(w, params["w_mean"]!, { psi }) : w;
}

function noiseMaps(generator: Generator, seed: number): HostArray[] {
  const { config, kind } = generator;
  const lastPx = kind === "teacher" ? config.sizePx : studentLastPx(generator.config);
  return noiseOf(seed, config.sizePx).slice(0, noiseShapes(lastPx).length);
}

/** Which of a student's heads gives images of this size; none for the whole network. */
function headOf(generator: Generator, sizePx: number): number | undefined {
  const { kind, config } = generator;
  if (sizePx === config.sizePx) return undefined;
  const sizes = kind === "student" ? exitSizes(generator) : [config.sizePx];
  if (sizes.includes(sizePx)) return sizes.indexOf(sizePx);
  throw new RangeError(
    `Cannot export a ${kind}: expected "sizePx" to be one of ${
      sizes.join(", ")
    }, the images that it has a head for, but received ${sizePx}`,
  );
}

function checkBatch(batch: number): void {
  if (Number.isInteger(batch) && batch > 0) return;
  throw new RangeError(
    `Cannot export a generator: expected "batch" to be a whole number of at least 1 but received ${batch}`,
  );
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}
