/**
 * PyTorch's activations of frozen networks whose weights are formulas: `frozen_reference.py` says how.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { HostArray } from "../../core/contracts.ts";
import { fromBytes } from "../../core/pixels.ts";
import { writeSafetensors } from "../../io/safetensors.ts";
import type { Entry } from "../../pipelines/convert/entries.ts";
import reference from "./frozen_reference.json" with { type: "json" };

/** What was noted of an activation. */
interface Stage {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly deviation: number;
  readonly at: readonly number[];
  readonly values: readonly number[];
}

/** The noted activations of a network by the stage's name. */
export function stagesOf(network: "inception" | "vgg16"): Readonly<Record<string, Stage>> {
  return reference[network];
}

/** The k-th number in [0, 1) of a layer. */
function numberOf(i: number, layer: number): number {
  const h = (i * i + 97 * layer) % 65521;
  return (h * h + 31 * i) % 65521 / 65521;
}

/** The image of the reference: `[1,64,64,3]`. */
export function referenceImage(): HostArray {
  const bytes = Uint8Array.from(
    { length: 64 * 64 * 3 },
    (_, i) => Math.floor(numberOf(i, 0) * 256),
  );
  return { shape: [1, 64, 64, 3], data: fromBytes(bytes) };
}

/** Low and high ends of the vectors that are no shift in [-0.1, 0.1]. */
const scales = /bn\.weight$|running_var$/;

/** A file of the network's weights, in the file's own names and layouts. */
export function formulaFile(entries: readonly Entry[], prefix = ""): Uint8Array {
  const tensors = entries.map(({ from, shape }, i): [string, HostArray] => {
    const size = shape.reduce((product, n) => product * n, 1);
    const fanIn = size / shape[0]!;
    const low = shape.length > 1 ? -0.5 * Math.sqrt(24 / fanIn) : scales.test(from) ? 0.5 : -0.1;
    const range = shape.length > 1 ? -2 * low : scales.test(from) ? 1 : 0.2;
    const data = Float32Array.from({ length: size }, (_, k) => low + range * numberOf(k, i + 1));
    return [prefix + from, { shape, data }];
  });
  return writeSafetensors(Object.fromEntries(tensors));
}

/** Asserts that an activation is the one that was noted. */
export function assertStage({ shape, data }: HostArray, stage: Stage, tolerance = 1e-4): void {
  assert.deepEqual([...shape], stage.shape);
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  const power = data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length;
  const near = (actual: number, expected: number) => {
    const difference = Math.abs(actual - expected);
    assert.ok(difference <= tolerance * stage.deviation, `${actual} instead of ${expected}`);
  };
  near(mean, stage.mean);
  near(Math.sqrt(power), stage.deviation);
  stage.at.forEach((i, k) => near(data[i]!, stage.values[k]!));
}
