/**
 * What is measured: the real training steps and images of a scenario, on any engine.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { HostArray, Weights } from "../core/contracts.ts";
import { flatLayout, flatten, lift } from "../core/flat.ts";
import { scalarArray } from "../core/host_array.ts";
import { under } from "../core/params.ts";
import { type Engine, type EngineArray, readArrays } from "../engine/mod.ts";
import type { Program } from "../engine/program.ts";
import { inverseHaar } from "../layers/haar.ts";
import { adversarialLoss } from "../losses/adversarial.ts";
import { pixelLoss } from "../losses/pixel.ts";
import { r1Loss } from "../losses/r1.ts";
import { waveletLoss } from "../losses/wavelet.ts";
import { createStudent, type Student, studentConfig, type Teacher } from "../networks/generator.ts";
import { mapping } from "../networks/mapping.ts";
import { mobileSynthesis } from "../networks/mobile_synthesis.ts";
import { synthesis } from "../networks/synthesis.ts";
import { parseConfig } from "../pipelines/distill_config.ts";
import { createDistillSteps, type StudentState } from "../pipelines/distill_steps.ts";
import { emptySum, type GradientSum } from "../pipelines/gradient_sum.ts";
import { microBatchRows, takeLatents } from "../pipelines/micro_batches.ts";
import type { Term } from "../pipelines/objective.ts";
import { teacherLayouts } from "../pipelines/teacher_gradients.ts";
import { createTeacherSteps } from "../pipelines/teacher_steps.ts";
import { createRegistry } from "../registry.ts";
import { below, GAMMA, type Scenario, STDDEV_GROUP, studentWeights } from "./scenarios.ts";

/** One thing to time. */
export interface Workload {
  /** Images per run. */
  readonly images: number;
  /** Runs once and gives a number that every engine and peer must agree on in the first run. */
  run(): Promise<number>;
  /** What is run, for counting; of several programs all. */
  programs(): Promise<readonly Program[]>;
}

type Make = (engine: Engine, scenario: Scenario, arrays: Weights) => Workload;

/** Workloads by name. */
export const WORKLOADS: Readonly<Record<string, Make>> = {
  "generator step": generatorStep,
  "discriminator step": (...given) => discriminatorStep(...given, [adversarial]),
  "discriminator step with R1": (...given) => discriminatorStep(...given, [adversarial, r1]),
  "distillation step": distillationStep,
  "distillation step in 4 parts": accumulatedStep,
  "teacher image": teacherImage,
  "student image": studentImage,
};

const term = (loss: Term["loss"], options: unknown, every = 1): Term => ({
  name: loss.name,
  loss,
  options,
  weight: 1,
  from: 0,
  every,
});
const adversarial = term(adversarialLoss, adversarialLoss.options.parse({}));
const r1 = term(r1Loss, { gamma: GAMMA }, 16);
const pixel = term(pixelLoss, { l1: 1, l2: 1 });
const wavelet = term(waveletLoss, {
  l1: 1,
  l2: 1,
  bandWeights: { ll: 1, lh: 1, hl: 1, hh: 1 },
});

const zeros = ({ shape, data }: HostArray) => ({ shape, data: new Float32Array(data.length) });
const noiseOf = (arrays: Weights) => Object.values(below(arrays, "noise/"));
const rates = { rate: scalarArray(0.002), powerCorrection: scalarArray(1) };

function teacherTraining(engine: Engine, { network }: Scenario, arrays: Weights) {
  const { sizePx, channels } = network;
  const generator = below(arrays, "teacher/");
  const critic = below(arrays, "discriminator/");
  const layouts = teacherLayouts(generator, critic);
  const discriminator = { sizePx, channels, stddevGroup: STDDEV_GROUP };
  return {
    steps: createTeacherSteps(engine, { network, discriminator }, layouts),
    generator: flatten(generator, layouts.generator),
    critic: flatten(critic, layouts.discriminator),
  };
}

function generatorStep(engine: Engine, scenario: Scenario, arrays: Weights): Workload {
  const { steps, generator, critic } = teacherTraining(engine, scenario, arrays);
  const step = steps.generatorStep([adversarial]);
  const batch = {
    z: arrays["mixing/z"]!,
    mix: [arrays["mixing/mix"]!],
    noise: noiseOf(arrays),
    rates,
    decay: scalarArray(0.99),
  };
  let inputs: Parameters<typeof step>[0] = {
    state: { weights: generator, power: zeros(generator) },
    average: generator,
    critic,
    batch,
  };
  return {
    images: scenario.batch,
    async run() {
      const { state, average, values } = await step(inputs);
      inputs = { ...inputs, state, average };
      return (await readArrays(values["adversarial"]!)).data[0]!;
    },
    programs: () => Promise.resolve([step.program(inputs)]),
  };
}

function discriminatorStep(
  engine: Engine,
  scenario: Scenario,
  arrays: Weights,
  terms: readonly Term[],
): Workload {
  const { steps, critic } = teacherTraining(engine, scenario, arrays);
  const step = steps.discriminatorStep(terms);
  let inputs: Parameters<typeof step>[0] = {
    state: { weights: critic, power: zeros(critic) },
    fake: arrays["batch/fake"]!,
    real: arrays["batch/real"]!,
    rates,
  };
  return {
    images: scenario.batch,
    async run() {
      const { state, values } = await step(inputs);
      inputs = { ...inputs, state };
      const read = await readArrays(values);
      return terms.reduce((sum, { name, every }) => sum + every * read[name]!.data[0]!, 0);
    },
    programs: () => Promise.resolve([step.program(inputs)]),
  };
}

function networksOf(
  { network }: Scenario,
  arrays: Weights,
): { teacher: Teacher; student: Student } {
  const registry = createRegistry();
  const teacher = { kind: "teacher", config: network, weights: below(arrays, "teacher/") } as const;
  return { teacher, student: createStudent(teacher, {}, { registry }) };
}

/** The first stage of `avatars-64`: pixels and wavelets, the teacher once. */
function distillation(engine: Engine, scenario: Scenario, arrays: Weights, accumulate: number) {
  const registry = createRegistry();
  const { teacher, student } = networksOf(scenario, arrays);
  const { batch } = scenario;
  const losses = [{ name: "pixel" }, { name: "wavelet" }];
  const config = parseConfig(
    { steps: 1, batch, accumulate, losses, pyramid: "area", optimiser: { clipNorm: 1 } },
    registry,
  );
  const weights = studentWeights(arrays);
  const layout = flatLayout(weights);
  const steps = createDistillSteps({
    engine,
    config,
    teacher,
    student,
    frozen: {},
    layout,
    critic: {
      config: { ...scenario.network, stddevGroup: STDDEV_GROUP },
      layout: flatLayout(below(arrays, "discriminator/")),
    },
    features: undefined,
  });
  const vector = flatten(weights, layout);
  const state: StudentState<EngineArray> = {
    weights: vector,
    mean: zeros(vector),
    power: zeros(vector),
    average: vector,
  };
  const noise = noiseOf(arrays);
  return {
    steps,
    state,
    noise,
    latents: { z: arrays["batch/z"]!, mix: [], noise },
    update: { rates, decay: scalarArray(0.99) },
  };
}

const distillTerms = [pixel, wavelet];

async function sumOf(values: Readonly<Record<string, EngineArray>>): Promise<number> {
  const read = Object.values(await readArrays(values));
  return read.reduce((sum, { data }) => sum + data[0]!, 0);
}

function distillationStep(engine: Engine, scenario: Scenario, arrays: Weights): Workload {
  const { steps, noise, latents, update, ...start } = distillation(engine, scenario, arrays, 1);
  let state = start.state;
  const teach = steps.teacher(false);
  const step = steps.student(distillTerms);
  const common = { critic: [], noise, ...update };
  return {
    images: scenario.batch,
    async run() {
      const batch = await teach(latents);
      const made = await step({ ...common, state, batch });
      state = made.state;
      return await sumOf(made.values);
    },
    async programs() {
      const batch = await teach(latents);
      return [teach.program(latents), step.program({ ...common, state, batch })];
    },
  };
}

/** The same step by `accumulate`: slower, in less memory. */
function accumulatedStep(engine: Engine, scenario: Scenario, arrays: Weights): Workload {
  const accumulate = 4;
  const { steps, noise, latents, update, ...start } = distillation(
    engine,
    scenario,
    arrays,
    accumulate,
  );
  let state = start.state;
  const split = { batch: scenario.batch, accumulate, group: 1 };
  return {
    images: scenario.batch,
    async run() {
      let sum: GradientSum<EngineArray> = emptySum(state.weights, distillTerms);
      const { weights } = state;
      for (const rows of microBatchRows(split)) {
        const batch = await steps.teacher(false)({ ...latents, ...takeLatents(latents, rows) });
        const given = { sum, weights, critic: [], batch, noise };
        ({ sum } = await steps.studentGradients(distillTerms)(given));
      }
      ({ state } = await steps.studentUpdate({ state, gradient: sum.gradient, ...update }));
      return await sumOf(sum.values);
    },
    programs: () => Promise.resolve([]), // those of the whole step, but for the additions
  };
}

interface ImageInputs<T> {
  readonly z: T;
  readonly noise: readonly T[];
}

function imageWorkload(
  engine: Engine,
  { images }: Scenario,
  arrays: Weights,
  draw: (w: tf.Tensor2D, noise: readonly tf.Tensor4D[]) => tf.Tensor4D,
  scenario: Scenario,
): Workload {
  const compiled = engine.compile(
    ({ z, noise }: ImageInputs<tf.Tensor>) => {
      const params = under(lift(below(arrays, "teacher/")), "mapping");
      const w = mapping(params, z as tf.Tensor2D, scenario.network);
      return draw(w, noise as readonly tf.Tensor4D[]);
    },
    { name: "image" },
  );
  const inputs = { z: arrays["images/z"]!, noise: noiseOf(arrays) };
  return {
    images,
    async run() {
      const { data } = await compiled(inputs);
      let sum = 0;
      for (let i = 0; i < data.length; i++) sum += data[i]!; // reduce() takes ten times as long
      return sum / data.length;
    },
    programs: () => Promise.resolve([compiled.program(inputs)]),
  };
}

function teacherImage(engine: Engine, scenario: Scenario, arrays: Weights): Workload {
  const weights = below(arrays, "teacher/");
  return imageWorkload(engine, scenario, arrays, (w, noise) => {
    const params = under(lift(weights), "synthesis");
    return synthesis(params, { w, noise }, scenario.network);
  }, scenario);
}

/** As it is shipped: without auxiliary heads. */
function studentImage(engine: Engine, scenario: Scenario, arrays: Weights): Workload {
  const registry = createRegistry();
  const weights = studentWeights(arrays);
  const config = { ...studentConfig(scenario.network), auxiliary: false };
  return imageWorkload(engine, scenario, arrays, (w, noise) => {
    const bands = mobileSynthesis(lift(weights), { w, noise }, config, registry);
    return inverseHaar(bands.at(-1)!);
  }, scenario);
}
