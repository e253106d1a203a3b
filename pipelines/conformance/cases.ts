import type { AnyLoss, AnyMetric, HostArray } from "../../core/contracts.ts";
import type { AnyPart } from "../../core/registry.ts";
import type { Case } from "./case.ts";
import { expectEqual, fail } from "./expect.ts";
import { lossCases } from "./loss_cases.ts";
import {
  convCases,
  demodulationCases,
  headCases,
  initialWeights,
  upscaleCases,
} from "./part_cases.ts";

/** The parts that have weights. */
type WeightedPart = Exclude<AnyPart, AnyLoss | AnyMetric>;

/** The smallest valid uses of a part. Metrics have none: each has inputs of its own. */
export function casesOf(part: AnyPart, options: unknown): Case[] {
  if (part.kind === "metric") return [];
  if (part.kind === "loss") return lossCases(part, options);
  const weights = initialWeights(part, options);
  const trained = Object.keys(weights).filter((name) => !part.buffers?.includes(name));
  const common = { weights, trained, everyWeight: true } as const;
  switch (part.kind) {
    case "upscale":
      return upscaleCases(part, options, common);
    case "conv":
      return convCases(part, options, common);
    case "demodulation":
      return demodulationCases(part, options, common);
    case "head":
      return headCases(part, options, common);
  }
}

/** Checks the initial weights: whole, finite, and the same from the same random numbers. */
export function checkInit(part: WeightedPart, options: unknown): void {
  const first = initialWeights(part, options);
  const second = initialWeights(part, options);
  for (const [name, array] of Object.entries(first)) {
    checkArray(name, array);
    if (!second[name]) fail(`init() to give "${name}" at every call`, "nothing");
    expectEqual(second[name], array, `"${name}" of a second init() from the same random numbers`);
  }
  for (const buffer of part.buffers ?? []) {
    if (!first[buffer]) {
      const names = Object.keys(first).join(", ");
      fail(`buffer "${buffer}" to be one of the weights`, names || "no weights");
    }
  }
}

function checkArray(name: string, array: HostArray | undefined): void {
  if (!(array?.data instanceof Float32Array) || !Array.isArray(array.shape)) {
    fail(`weight "${name}" to be { shape, data: Float32Array }`, `${typeof array}`);
  }
  const { shape, data } = array;
  const size = shape.reduce((product, n) => product * n, 1);
  if (data.length !== size) {
    fail(`weight "${name}" of shape [${shape}] to have ${size} numbers`, `${data.length}`);
  }
  if (!data.every(Number.isFinite)) fail(`weight "${name}" to be finite`, "other numbers");
}
