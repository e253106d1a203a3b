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
import { startingState } from "../pipelines/distill_state.ts";
import { takeStep } from "../pipelines/distill_step.ts";
import { createDistillSteps } from "../pipelines/distill_steps.ts";
import { emptySum, sumOfValues } from "../pipelines/gradient_sum.ts";
import {
  inLanes,
  microBatchRows,
  type Split,
  splitOf,
  splits,
  takeLatents,
  takeRows,
} from "../pipelines/micro_batches.ts";
import type { Term } from "../pipelines/objective.ts";
import { teacherLayouts } from "../pipelines/teacher_gradients.ts";
import { studentRates } from "../pipelines/step_rates.ts";
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
  "distillation step": distillation(1),
  "distillation step in 4 parts": distillation(4),
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

function teacherTraining(engine: Engine, { network, batch }: Scenario, arrays: Weights) {
  const { sizePx, channels } = network;
  const generator = below(arrays, "teacher/");
  const critic = below(arrays, "discriminator/");
  const layouts = teacherLayouts(generator, critic);
  const discriminator = { sizePx, channels, stddevGroup: STDDEV_GROUP };
  const split = splitOf(engine, { batch, accumulate: 1, group: STDDEV_GROUP, sizePx });
  return {
    split,
    steps: createTeacherSteps(engine, { network, discriminator, split }, layouts),
    generator: flatten(generator, layouts.generator),
    critic: flatten(critic, layouts.discriminator),
  };
}

/** Reads the values of all lanes and adds them; a lazy term as strongly as it counts. */
async function valueOf(
  lanes: readonly Readonly<Record<string, EngineArray>>[],
  terms: readonly Term[],
): Promise<number> {
  const sums = sumOfValues(await readArrays(lanes));
  return terms.reduce((sum, { name, every }) => sum + every * sums[name]!, 0);
}

function generatorStep(engine: Engine, scenario: Scenario, arrays: Weights): Workload {
  const { steps, generator, critic, split } = teacherTraining(engine, scenario, arrays);
  const terms = [adversarial];
  const step = steps.generatorStep(terms);
  const decay = scalarArray(0.99);
  const batch = {
    z: arrays["mixing/z"]!,
    mix: [arrays["mixing/mix"]!],
    noise: noiseOf(arrays),
    rates,
    decay,
  };
  let inputs: Parameters<typeof step>[0] = {
    state: { weights: generator, power: zeros(generator) },
    average: generator,
    critic,
    batch,
  };
  const part = (rows: readonly number[]) => ({
    sum: emptySum(generator, terms),
    weights: inputs.state.weights,
    critic,
    batch: { ...batch, ...takeLatents(batch, rows) },
  });
  const inParts = async () => {
    const sums = await inLanes(
      split,
      async ([rows]) => (await steps.generatorPart(terms)(part(rows!))).sum,
    );
    const { state, average } = inputs;
    const gradients = sums.map(({ gradient }) => gradient);
    const made = await steps.generatorUpdate({ state, average, gradients, rates, decay });
    return { ...made, values: sums.map(({ values }) => values) };
  };
  const whole = async () => {
    const { values, ...made } = await step(inputs);
    return { ...made, values: [values] };
  };
  return {
    images: scenario.batch,
    async run() {
      const { state, average, values } = await (splits(split, terms) ? inParts : whole)();
      inputs = { ...inputs, state, average };
      return await valueOf(values, terms);
    },
    programs: () =>
      Promise.resolve(
        splits(split, terms)
          ? partsOf(split, (rows) => steps.generatorPart(terms).program(part(rows)))
          : [step.program(inputs)],
      ),
  };
}

/** The programs of all parts, which are alike. */
function partsOf(split: Split, program: (rows: readonly number[]) => Program): Program[] {
  const rows = microBatchRows(split);
  return rows.map(() => program(rows[0]!));
}

function discriminatorStep(
  engine: Engine,
  scenario: Scenario,
  arrays: Weights,
  terms: readonly Term[],
): Workload {
  const { steps, critic, split } = teacherTraining(engine, scenario, arrays);
  const step = steps.discriminatorStep(terms);
  const [fake, real] = [arrays["batch/fake"]!, arrays["batch/real"]!];
  let inputs: Parameters<typeof step>[0] = {
    state: { weights: critic, power: zeros(critic) },
    fake,
    real,
    rates,
  };
  const part = (rows: readonly number[]) => ({
    sum: emptySum(critic, terms),
    weights: inputs.state.weights,
    fake: takeRows(fake, rows),
    real: takeRows(real, rows),
  });
  const inParts = async () => {
    const sums = await inLanes(
      split,
      async ([rows]) => (await steps.discriminatorPart(terms)(part(rows!))).sum,
    );
    const gradients = sums.map(({ gradient }) => gradient);
    const made = await steps.discriminatorUpdate({ state: inputs.state, gradients, rates });
    return { ...made, values: sums.map(({ values }) => values) };
  };
  const whole = async () => {
    const { state, values } = await step(inputs);
    return { state, values: [values] };
  };
  return {
    images: scenario.batch,
    async run() {
      const { state, values } = await (splits(split, terms) ? inParts : whole)();
      inputs = { ...inputs, state };
      return await valueOf(values, terms);
    },
    programs: () =>
      Promise.resolve(
        splits(split, terms)
          ? partsOf(split, (rows) => steps.discriminatorPart(terms).program(part(rows)))
          : [step.program(inputs)],
      ),
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

/** The first stage of `avatars-64`, as a run takes its steps: pixels and wavelets, the teacher once. */
function distillation(accumulate: number): Make {
  return (engine, scenario, arrays) => {
    const registry = createRegistry();
    const { teacher, student } = networksOf(scenario, arrays);
    const { batch, network } = scenario;
    const losses = [{ name: "pixel" }, { name: "wavelet" }];
    const config = parseConfig(
      { steps: 1, batch, accumulate, losses, pyramid: "area", optimiser: { clipNorm: 1 } },
      registry,
    );
    const weights = studentWeights(arrays);
    const layout = flatLayout(weights);
    const split = splitOf(engine, { batch, accumulate, group: 1, sizePx: network.sizePx });
    const steps = createDistillSteps({
      engine,
      config,
      split,
      teacher,
      student,
      frozen: {},
      layout,
      critic: {
        config: { ...network, stddevGroup: STDDEV_GROUP },
        layout: flatLayout(below(arrays, "discriminator/")),
      },
      features: undefined,
    });
    const state = startingState({ resumed: undefined }, {
      student: flatten(weights, layout),
      discriminator: { shape: [0], data: new Float32Array(0) },
    }, { average: true });
    const training = { config, steps, state, split, criticUpdates: () => 1 };
    const noise = noiseOf(arrays);
    const latents = { z: arrays["batch/z"]!, mix: [], noise };
    const due = {
      step: 0,
      student: distillTerms,
      discriminator: [],
      latents,
      noise,
      wantsFeatures: false,
      critic: [],
    };
    return {
      images: batch,
      run: async () => await valueOf(await takeStep(training, due), distillTerms),
      async programs() { // those that were traced for the run, no others
        const teach = steps.teacher({ wantsFeatures: false, lanes: split.lanes });
        const part = { ...latents, ...takeLatents(latents, microBatchRows(split)[0]!) };
        const inputs = { critic: [], noise, batch: await teach(part) };
        const { weights } = state.student;
        const program = splits(split, distillTerms)
          ? steps.studentGradients(distillTerms)
            .program({ ...inputs, sum: emptySum(weights, distillTerms), weights })
          : steps.student(distillTerms)
            .program({ ...inputs, ...studentRates(config, 0), state: state.student });
        return Array.from({ length: split.accumulate }, () => [teach.program(part), program])
          .flat();
      },
    };
  };
}

const distillTerms = [pixel, wavelet];

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
