import * as tf from "@tensorflow/tfjs";
import type { AnyLoss, HostArray, Weights } from "../../core/contracts.ts";
import { flatLayout, flatten, unflatten } from "../../core/flat.ts";
import type { AnyPart } from "../../core/registry.ts";
import type { Engine } from "../../engine/mod.ts";
import { type Case, moved } from "./case.ts";
import {
  type Arrays,
  type Evaluation,
  type Evaluator,
  evaluatorOf,
  movedAlong,
  targetsOf,
} from "./evaluation.ts";
import { lossCases } from "./loss_cases.ts";
import {
  convCases,
  demodulationCases,
  headCases,
  initialWeights,
  upscaleCases,
} from "./part_cases.ts";

/** One thing that a part must do. */
export interface Check {
  /** `conv "modulated" repeats exactly (fused)` */
  readonly name: string;
  /** @throws {Error} saying what was expected and what came */
  run(): Promise<void>;
}

/** Gradients agree with differences within this part of the largest: float32, leaky ReLU's kinks. */
const GRADIENT_TOLERANCE = 0.02;
/** Engines agree within this part of the largest number. */
const ENGINE_TOLERANCE = 1e-4;

function fail(expected: string, received: string): never {
  throw new Error(`expected ${expected} but received ${received}`);
}

const largestOf = ({ data }: HostArray) => data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

function expectEqual(actual: HostArray, expected: HostArray, what: string): void {
  if (String(actual.shape) !== String(expected.shape)) {
    fail(`${what}, of shape [${expected.shape}],`, `shape [${actual.shape}]`);
  }
  const index = actual.data.findIndex((x, i) => !Object.is(x, expected.data[i]));
  if (index >= 0) {
    fail(what, `${actual.data[index]} in place of ${expected.data[index]} at ${index}`);
  }
}

function expectNear(actual: HostArray, expected: HostArray, what: string): void {
  if (String(actual.shape) !== String(expected.shape)) {
    fail(`${what}, of shape [${expected.shape}],`, `shape [${actual.shape}]`);
  }
  const limit = ENGINE_TOLERANCE * largestOf(expected);
  const index = actual.data.findIndex((x, i) => !(Math.abs(x - expected.data[i]!) <= limit));
  if (index >= 0) {
    fail(
      `${what} within ${limit.toPrecision(2)}`,
      `${actual.data[index]} in place of ${expected.data[index]} at ${index}`,
    );
  }
}

function checkInit(part: Exclude<AnyPart, AnyLoss>, options: unknown): void {
  const [first, second] = [initialWeights(part as never, options), initialWeights(part as never, options)];
  for (const [name, array] of Object.entries(first)) {
    if (!(array?.data instanceof Float32Array) || !Array.isArray(array.shape)) {
      fail(`weight "${name}" to be { shape, data: Float32Array }`, typeof array);
    }
    const size = array.shape.reduce((product, n) => product * n, 1);
    if (array.data.length !== size) {
      fail(`weight "${name}" of shape [${array.shape}] to have ${size} numbers`, `${array.data.length}`);
    }
    if (!array.data.every(Number.isFinite)) fail(`weight "${name}" to be finite`, "NaN or infinity");
    if (!second[name]) fail(`weight "${name}" at every call of init()`, "none");
    expectEqual(second[name], array, `init() to give "${name}" as a function of its random numbers`);
  }
  const { buffers = [] } = part as { readonly buffers?: readonly string[] };
  for (const buffer of buffers) {
    if (!first[buffer]) fail(`buffer "${buffer}" to be one of the weights`, Object.keys(first).join(", "));
  }
}

function casesOf(part: AnyPart, options: unknown): Case[] {
  if (part.kind === "loss") return lossCases(part, options);
  if (part.kind === "metric") return [];
  const weights = initialWeights(part, options);
  const trained = Object.keys(weights).filter((name) => !(part.buffers ?? []).includes(name));
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

async function differencesOf(
  reference: Evaluator,
  arrays: Arrays,
  target: string,
  { projection }: Evaluation,
  direction: Float32Array,
): Promise<number> {
  const step = 1e-2;
  const [up, down] = [
    await reference.output(movedAlong(arrays, target, direction, step)),
    await reference.output(movedAlong(arrays, target, direction, -step)),
  ];
  return up.data.reduce((sum, x, i) => sum + projection.data[i]! * (x - down.data[i]!), 0) /
    (2 * step);
}

async function checkGradients(
  part: Case,
  reference: Evaluator,
  arrays: Arrays,
  evaluation: Evaluation,
): Promise<void> {
  let moving = 0;
  const largest = Math.max(...Object.values(evaluation.gradients).map(largestOf));
  for (const target of targetsOf(part)) {
    const gradient = evaluation.gradients[target]!.data;
    const norm = Math.hypot(...gradient);
    if (!Number.isFinite(norm)) fail(`the gradient of ${target} to be finite`, String(norm));
    if (norm > 1e-6 * largest) moving++;
    else if (part.everyWeight) fail(`a gradient of ${target}`, "0: nothing would train it");
    // Along the gradient itself, where the slope is its norm, and across it.
    const along = gradient.map((x) => norm > 0 ? x / norm : 0);
    const across = along.map((_, i) => (i % 2 === 0 ? 1 : -1) / Math.sqrt(gradient.length));
    for (const direction of [along, across]) {
      const slope = gradient.reduce((sum, x, i) => sum + x * direction[i]!, 0);
      const difference = await differencesOf(reference, arrays, target, evaluation, direction);
      const limit = GRADIENT_TOLERANCE * Math.max(norm, 1e-3 * largest);
      if (!(Math.abs(slope - difference) <= limit)) {
        fail(
          `the gradient of ${target} to be the slope ${difference.toPrecision(4)} of its differences`,
          slope.toPrecision(4),
        );
      }
    }
  }
  if (moving === 0) fail("a gradient", "0: nothing would train by it");
}

/** What stays the same over all images: the first one alone must give the first one's output. */
async function checkImages(part: Case, reference: Evaluator, arrays: Arrays): Promise<void> {
  if (part.perImage.length === 0) return;
  const first = ({ shape, data }: HostArray, count: number): HostArray => ({
    shape: [count, ...shape.slice(1)],
    data: data.slice(0, data.length / shape[0]! * count),
  });
  const inputs = Object.fromEntries(
    Object.entries(arrays.inputs).map(([name, array]) => [
      name,
      part.perImage.includes(name) ? first(array, 1) : array,
    ]),
  );
  const alone = await reference.output({ weights: arrays.weights, inputs });
  const together = await reference.output(arrays);
  expectNear(alone, first(together, 1), "an image not to depend on the others of its batch");
}

const criteria: Readonly<Record<string, (run: CaseRun) => Promise<void>>> = {
  async "gives the shape that its kind asks for"({ part, evaluations }) {
    const { output } = await evaluations[0]!();
    const shapes = part.shapes.map((shape) => `[${shape}]`);
    if (!shapes.includes(`[${output.shape}]`)) fail(`shape ${shapes.join(" or ")}`, `[${output.shape}]`);
  },
  async "is finite"({ part, arrays, evaluators }) {
    for (const weights of [part.weights, arrays.weights]) {
      const { data } = await evaluators[0]!.output({ ...arrays, weights });
      const index = data.findIndex((x) => !Number.isFinite(x));
      if (index >= 0) fail("finite numbers", `${data[index]} at ${index}`);
    }
  },
  async "repeats exactly"({ arrays, evaluators }) {
    for (const evaluator of evaluators) {
      const [first, second] = [await evaluator.output(arrays), await evaluator.output(arrays)];
      expectEqual(second, first, "the same numbers again (random ones only from `random`)");
    }
  },
  async "leaves no tensor behind"({ arrays, engines, evaluators }) {
    const index = engines.findIndex(({ name }) => name === "tfjs");
    if (index < 0) return;
    await evaluators[index]!.output(arrays);
    const before = tf.memory().numTensors;
    await evaluators[index]!.output(arrays);
    const left = tf.memory().numTensors - before;
    if (left !== 0) fail("as many tensors after a call as before", `${left} more`);
  },
  async "has a gradient for every weight, equal to differences"(run) {
    await checkGradients(run.part, run.evaluators[0]!, run.arrays, await run.evaluations[0]!());
  },
  async "treats every image alike"({ part, arrays, evaluators }) {
    await checkImages(part, evaluators[0]!, arrays);
  },
  async "survives saving and loading"({ part, arrays, evaluators }) {
    const layout = flatLayout(arrays.weights);
    const saved = JSON.stringify([...flatten(arrays.weights, layout).data]);
    const data = Float32Array.from(JSON.parse(saved));
    const loaded = unflatten({ shape: [data.length], data }, layout);
    const before = await evaluators[0]!.output(arrays);
    const after = await evaluators[0]!.output({ ...arrays, weights: loaded });
    expectEqual(after, before, "the same numbers from loaded weights");
    if (part.sameAs) return;
  },
  async "gives the same on every engine"({ engines, evaluations }) {
    const reference = await evaluations[0]!();
    for (const [i, { name }] of engines.entries()) {
      if (i === 0) continue;
      const { output, gradients } = await evaluations[i]!();
      expectNear(output, reference.output, `the output of ${engines[0]!.name} from ${name}`);
      for (const [target, gradient] of Object.entries(gradients)) {
        const expected = reference.gradients[target]!;
        expectNear(gradient, expected, `the gradient of ${target} from ${name}`);
      }
    }
  },
};

/** A case with what its criteria share: compiled once, evaluated once. */
interface CaseRun {
  readonly part: Case;
  readonly arrays: Arrays;
  readonly engines: readonly Engine[];
  readonly evaluators: readonly Evaluator[];
  readonly evaluations: readonly (() => Promise<Evaluation>)[];
}
