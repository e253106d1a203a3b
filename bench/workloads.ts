/**
 * What is measured: the real training steps and images of a scenario, on any engine.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { Weights } from "../core/contracts.ts";
import { flatLayout, flatten, lift } from "../core/flat.ts";
import { under } from "../core/params.ts";
import type { Engine } from "../engine/mod.ts";
import { inverseHaar } from "../layers/haar.ts";
import { pixelLoss } from "../losses/pixel.ts";
import { waveletLoss } from "../losses/wavelet.ts";
import { createStudent, type Student, studentConfig, type Teacher } from "../networks/generator.ts";
import { mapping } from "../networks/mapping.ts";
import { mobileSynthesis } from "../networks/mobile_synthesis.ts";
import { synthesis } from "../networks/synthesis.ts";
import { parseConfig } from "../pipelines/distill_config.ts";
import { startingState } from "../pipelines/distill_state.ts";
import { takeStep } from "../pipelines/distill_step.ts";
import { createDistillSteps } from "../pipelines/distill_steps.ts";
import { startingSum } from "../pipelines/gradient_sum.ts";
import {
  imageLanes,
  microBatchRows,
  splitOf,
  splits,
  takeLatents,
  takeRows,
} from "../pipelines/micro_batches.ts";
import { studentRates } from "../pipelines/step_rates.ts";
import { createRegistry } from "../registry.ts";
import { below, type Scenario, STDDEV_GROUP, studentWeights } from "./scenarios.ts";
import { discriminatorStep, generatorStep } from "./teacher_workloads.ts";
import { type Make, noiseOf, term, valueOf, type Workload } from "./workload.ts";

/** Workloads by name. */
export const WORKLOADS: Readonly<Record<string, Make>> = {
  "generator step": generatorStep,
  "discriminator step": (...given) => discriminatorStep(...given, { lazy: false }),
  "discriminator step with R1": (...given) => discriminatorStep(...given, { lazy: true }),
  "distillation step": distillation(1),
  "distillation step in 4 parts": distillation(4),
  "teacher image": teacherImage,
  "student image": studentImage,
};
const pixel = term(pixelLoss, { l1: 1, l2: 1 });
const wavelet = term(waveletLoss, {
  l1: 1,
  l2: 1,
  bandWeights: { ll: 1, lh: 1, hl: 1, hh: 1 },
});
const distillTerms = [pixel, wavelet];

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
      async run() {
        // Nothing of the next step is begun: it would be computed in the time of whoever is next.
        const { losses } = await takeStep(training, due);
        return await valueOf(losses, distillTerms);
      },
      async programs() { // those that were traced for the run, no others
        const teach = steps.teacher({ wantsFeatures: false, lanes: split.lanes });
        const part = { ...latents, ...takeLatents(latents, microBatchRows(split)[0]!) };
        const inputs = { critic: [], noise, batch: await teach(part) };
        const { weights } = state.student;
        const program = splits(split, distillTerms)
          ? steps.studentGradients(distillTerms)
            .program({ ...inputs, before: startingSum(split, weights, distillTerms), weights })
          : steps.student(distillTerms)
            .program({ ...inputs, ...studentRates(config, 0), state: state.student });
        return Array.from({ length: split.accumulate }, () => [teach.program(part), program])
          .flat();
      },
    };
  };
}
interface ImageInputs<T> {
  readonly z: T;
  readonly noise: readonly T[];
}

function imageWorkload(
  engine: Engine,
  { images, network }: Scenario,
  arrays: Weights,
  draw: (w: tf.Tensor2D, noise: readonly tf.Tensor4D[]) => tf.Tensor4D,
): Workload {
  const lanes = imageLanes(engine, images, network.sizePx);
  const compiled = engine.compile(
    ({ z, noise }: ImageInputs<tf.Tensor>) => {
      const params = under(lift(below(arrays, "teacher/")), "mapping");
      const w = mapping(params, z as tf.Tensor2D, network);
      return draw(w, noise as readonly tf.Tensor4D[]);
    },
    { name: "image", lanes },
  );
  const noise = noiseOf(arrays);
  const parts = microBatchRows({ batch: images, accumulate: lanes, group: 1 })
    .map((rows) => ({ z: takeRows(arrays["images/z"]!, rows), noise }));
  return {
    images,
    async run() {
      let [sum, count] = [0, 0];
      for (const { data } of await Promise.all(parts.map((part) => compiled(part)))) {
        for (let i = 0; i < data.length; i++) sum += data[i]!; // reduce() takes ten times as long
        count += data.length;
      }
      return sum / count;
    },
    programs: () => Promise.resolve(parts.map(() => compiled.program(parts[0]!))),
  };
}

function teacherImage(engine: Engine, scenario: Scenario, arrays: Weights): Workload {
  const weights = below(arrays, "teacher/");
  return imageWorkload(engine, scenario, arrays, (w, noise) => {
    const params = under(lift(weights), "synthesis");
    return synthesis(params, { w, noise }, scenario.network);
  });
}

/** As it is shipped: without auxiliary heads. */
function studentImage(engine: Engine, scenario: Scenario, arrays: Weights): Workload {
  const registry = createRegistry();
  const weights = studentWeights(arrays);
  const config = { ...studentConfig(scenario.network), auxiliary: false };
  return imageWorkload(engine, scenario, arrays, (w, noise) => {
    const bands = mobileSynthesis(lift(weights), { w, noise }, config, registry);
    return inverseHaar(bands.at(-1)!);
  });
}
