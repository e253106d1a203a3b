/**
 * Exact inputs and outputs of a generator, for comparison with other codes: named tensors in, named
 * tensors out, images and noise in NCHW as PyTorch has them.
 *
 * @module
 */
import type { HostArray, Weights } from "../core/contracts.ts";
import type { Engine } from "../engine/mod.ts";
import { noiseShapes, studentLastPx } from "../networks/config.ts";
import type { Generator } from "../networks/generator.ts";
import { noiseOf } from "./generate_images.ts";
import { openGenerator } from "./run_generator.ts";

const KNOWN = /^(z|w|truncation|noise_\d+)$/;

/**
 * Runs a generator on named tensors.
 *
 * Inputs: `z` `[N,D]`, or `w` `[N,D]` or `[N,L,D]`; optionally `noise_0`, `noise_1`, ...
 * `[1 or N,1,r,r]`, one per noisy layer in the order of the forward pass, and `truncation` (a
 * scalar). Outputs: `image` `[N,3,S,S]`, not clamped, `w`, and for a student `head_0`, ...
 * `[N,12,r,r]`, coarsest first.
 *
 * @throws {RangeError} If a tensor is missing, unknown or of another shape.
 */
export async function generateTensors(
  generator: Generator,
  inputs: Weights,
  { engine, batch }: { readonly engine: Engine; readonly batch?: number },
): Promise<Weights> {
  const { z, w: given, truncation } = inputs;
  checkNames(inputs);
  const { styleDim } = generator.config;
  if (z) checkShape("z", z, [null, styleDim]);
  if (given && given.shape.length === 2) checkShape("w", given, [null, styleDim]);
  const psi = truncation ? truncation.data[0]! : 1;
  const running = openGenerator(generator, engine);
  try {
    const w = given
      ? await running.truncate(given, psi)
      : await running.styles(z!, { truncation: psi });
    const noise = noiseFrom(inputs, generator, w.shape[0]!);
    const { image, heads } = await running.images(w, noise, { batch, heads: true });
    return {
      image: toNchw(image),
      w,
      ...Object.fromEntries(heads.map((head, i) => [`head_${i}`, toNchw(head)])),
    };
  } finally {
    await running.dispose();
  }
}

function checkNames(inputs: Weights): void {
  const unknown = Object.keys(inputs).filter((name) => !KNOWN.test(name));
  if (unknown.length) {
    throw new RangeError(
      `Cannot generate from tensors: expected z or w, noise_0, noise_1, ... and truncation but received "${
        unknown.join('", "')
      }"`,
    );
  }
  if ((inputs["z"] === undefined) === (inputs["w"] === undefined)) {
    throw new RangeError(
      `Cannot generate from tensors: expected either "z" or "w" but received ${
        inputs["z"] ? "both" : "neither"
      }`,
    );
  }
}

function checkShape(name: string, { shape }: HostArray, expected: readonly (number | null)[]) {
  const fits = shape.length === expected.length &&
    shape.every((size, i) => expected[i] === null || expected[i] === size);
  if (!fits) {
    throw new RangeError(
      `Cannot generate from tensors: expected "${name}" of shape [${
        expected.map((size) => size ?? "N")
      }] but received [${shape}]`,
    );
  }
}

/** The given noise maps in NHWC; without any, those of seed 0. All or none must be given. */
function noiseFrom(
  inputs: Weights,
  generator: Generator,
  batch: number,
): HostArray[] {
  const given = Object.keys(inputs).filter((name) => name.startsWith("noise_"));
  const { sizePx } = generator.config;
  if (given.length === 0) return noiseOf(0, sizePx);
  // A student's layers end at half the size; maps beyond those it has are welcome.
  const lastPx = generator.kind === "teacher" ? sizePx : studentLastPx(generator.config);
  return noiseShapes(lastPx).map(([, size], i) => {
    const map = inputs[`noise_${i}`];
    if (!map) {
      throw new RangeError(
        `Cannot generate from tensors: expected "noise_${i}" of shape [1 or ${batch},1,${size},${size}] but received nothing`,
      );
    }
    checkShape(`noise_${i}`, map, [map.shape[0] === 1 ? 1 : batch, 1, size, size]);
    return { shape: [map.shape[0]!, size, size, 1], data: map.data };
  });
}

/** `[N,H,W,C]` to `[N,C,H,W]`. */
function toNchw({ shape, data }: HostArray): HostArray {
  const [n, h, w, c] = shape as [number, number, number, number];
  const moved = new Float32Array(data.length);
  for (let i = 0; i < n; i++) {
    for (let p = 0; p < h * w; p++) {
      for (let k = 0; k < c; k++) moved[(i * c + k) * h * w + p] = data[(i * h * w + p) * c + k]!;
    }
  }
  return { shape: [n, c, h, w], data: moved };
}
