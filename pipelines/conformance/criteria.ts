import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../../core/contracts.ts";
import type { Engine } from "../../engine/mod.ts";
import { readSafetensors, writeSafetensors } from "../../io/safetensors.ts";
import type { Case } from "./case.ts";
import { randomOfRows, takeRows } from "../micro_batches.ts";
import {
  type Arrays,
  caseRandom,
  type Evaluation,
  type Evaluator,
  evaluatorOf,
} from "./evaluation.ts";
import { expectEqual, expectNear, fail } from "./expect.ts";
import { checkGradients } from "./gradients.ts";

/** A case with what its criteria share: compiled once and evaluated once on every engine. */
export interface CaseRun {
  readonly part: Case;
  readonly arrays: Arrays;
  /** The first is the reference. */
  readonly runs: readonly [EngineRun, ...EngineRun[]];
}

/** A case on one engine. */
export interface EngineRun {
  readonly engine: Engine;
  readonly evaluator: Evaluator;
  /** Evaluates on the first call, and gives the same result from then on. */
  evaluation(): Promise<Evaluation>;
}

/** Something that every case must do. */
export interface Criterion {
  /** What a report calls it. */
  readonly name: string;
  /** Whether the criterion means anything for a case; absent: for all. */
  applies?(part: Case): boolean;
  /** @throws {Error} `expected ... but received ...` */
  check(run: CaseRun): Promise<void>;
}

/** What every case must do, in the order in which its author wants to know. */
export const criteria: readonly Criterion[] = [
  { name: "gives the shape that its kind asks for", check: checkShape },
  { name: "is finite", check: checkFinite },
  { name: "repeats exactly", check: checkRepeats },
  { name: "leaves no tensor behind", check: checkLeaks },
  {
    name: "treats each image alone",
    applies: ({ perImage }) => perImage.length > 0,
    check: checkImages,
  },
  {
    name: "is the mean over images that it says",
    applies: ({ meanOver = [] }) => meanOver.length > 0,
    check: checkMean,
  },
  {
    name: "has gradients that equal differences",
    async check({ part, arrays, runs: [{ evaluator, evaluation }] }) {
      await checkGradients(part, evaluator, arrays, await evaluation());
    },
  },
  { name: "survives saving and loading", check: checkSaved },
  {
    name: "gives the same when fused",
    applies: ({ sameAs }) => sameAs !== undefined,
    check: checkFused,
  },
  { name: "gives the same on every engine", check: checkEngines },
];

async function checkShape({ part, arrays, runs: [{ evaluator }] }: CaseRun): Promise<void> {
  const output = await evaluator.output(arrays);
  const shapes = part.shapes.map((shape) => `[${shape}]`);
  if (!shapes.includes(`[${output.shape}]`)) {
    fail(`shape ${shapes.join(" or ")}`, `[${output.shape}]`);
  }
}

/** As it starts, and after its weights have moved. */
async function checkFinite({ part, arrays, runs: [{ evaluator }] }: CaseRun): Promise<void> {
  for (const weights of [part.weights, arrays.weights]) {
    const { data } = await evaluator.output({ ...arrays, weights });
    const index = data.findIndex((x) => !Number.isFinite(x));
    if (index >= 0) fail("finite numbers", `${data[index]} at ${index}`);
  }
}

async function checkRepeats({ arrays, runs: [{ evaluator }] }: CaseRun): Promise<void> {
  const first = await evaluator.output(arrays);
  const second = await evaluator.output(arrays);
  expectEqual(second, first, "a second run, with the same `random`,");
}

async function checkLeaks({ arrays, runs }: CaseRun): Promise<void> {
  const eager = runs.find(({ engine }) => engine.name === "tfjs");
  if (!eager) return; // only there a call makes tensors that can be left behind
  await eager.evaluator.output(arrays);
  const before = tf.memory().numTensors;
  await eager.evaluator.output(arrays);
  const left = tf.memory().numTensors - before;
  if (left !== 0) fail("as many tensors after a call as before", `${left} more`);
}

/** The first image alone must give what it gives in a batch. */
async function checkImages({ part, arrays, runs: [{ evaluator }] }: CaseRun): Promise<void> {
  const inputs = Object.fromEntries(
    Object.entries(arrays.inputs).map(([name, array]) => [
      name,
      part.perImage.includes(name) ? firstImage(array) : array,
    ]),
  );
  const alone = await evaluator.output({ weights: arrays.weights, inputs });
  const together = await evaluator.output(arrays);
  expectNear(firstImage(alone), firstImage(together), "an image without the others of its batch");
}

/** The images one by one must give on average what they give together. */
async function checkMean({ part, arrays, runs: [{ evaluator }] }: CaseRun): Promise<void> {
  const count = arrays.inputs[part.meanOver![0]!]!.shape[0]!;
  let sum = 0;
  for (let image = 0; image < count; image++) {
    const inputs = Object.fromEntries(
      Object.entries(arrays.inputs).map(([name, array]) => [
        name,
        part.meanOver!.includes(name) ? takeRows(array, [image]) : array,
      ]),
    );
    const random = randomOfRows(caseRandom(), [image], count);
    const { data } = await evaluator.output({ weights: arrays.weights, inputs }, random);
    sum += data[0]!;
  }
  const mean = { shape: [], data: Float32Array.of(sum / count) };
  expectNear(mean, await evaluator.output(arrays), "the mean over single images");
}

function firstImage({ shape, data }: HostArray): HostArray {
  const [images = 1, ...rest] = shape;
  return { shape: [1, ...rest], data: data.slice(0, data.length / images) };
}

async function checkSaved({ arrays, runs: [{ evaluator }] }: CaseRun): Promise<void> {
  const { tensors } = readSafetensors(writeSafetensors(arrays.weights));
  const loaded = await evaluator.output({ ...arrays, weights: tensors });
  expectEqual(loaded, await evaluator.output(arrays), "the output of loaded weights");
}

async function checkFused({ part, arrays, runs: [{ engine, evaluator }] }: CaseRun): Promise<void> {
  const whole = evaluatorOf(part.sameAs!, engine, "not fused");
  expectNear(await evaluator.output(arrays), await whole.output(arrays), "the fused output");
  await whole.dispose();
}

async function checkEngines({ runs: [reference, ...others] }: CaseRun): Promise<void> {
  const expected = await reference.evaluation();
  for (const { engine, evaluation } of others) {
    const actual = await evaluation();
    expectNear(actual.output, expected.output, `the output on engine "${engine.name}"`);
    for (const [target, gradient] of Object.entries(actual.gradients)) {
      const what = `the gradient of ${target} on engine "${engine.name}"`;
      expectNear(gradient, expected.gradients[target]!, what);
    }
  }
}
