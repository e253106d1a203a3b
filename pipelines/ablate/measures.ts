/**
 * How near a student of an ablation is to its teacher, and what it costs.
 *
 * @module
 */
import type { HostArray, PartSource } from "../../core/contracts.ts";
import { lift } from "../../core/flat.ts";
import { prefixed, under } from "../../core/params.ts";
import type { Engine } from "../../engine/mod.ts";
import { ssim } from "../../metrics/distance.ts";
import { slicedWasserstein } from "../../metrics/swd.ts";
import { inferenceCost, studentCost } from "../../networks/cost.ts";
import { fuseMobileSynthesis } from "../../networks/fuse_mobile_synthesis.ts";
import type { Student, Teacher } from "../../networks/generator.ts";
import type { StudentConfig } from "../../networks/config.ts";
import { uncountedParts } from "../../networks/uncounted.ts";
import { mapping } from "../../networks/mapping.ts";
import { measureTimes, type Timed } from "../evaluate/timing.ts";
import { generateImages } from "../generate_images.ts";
import { setPsnrDb } from "../held_out.ts";
import { runSynthesis } from "../run_generator.ts";

/** Distances of a student to its teacher, on latents that training never draws. */
export interface Quality {
  /** PSNR of the whole set, in dB: higher is nearer. */
  readonly psnrDb: number;
  /** Mean structural similarity: 1 is equal. */
  readonly ssim: number;
  /** Sliced Wasserstein distance times 1000, mean over the Haar bands: 0 is equal. */
  readonly swd: number;
  /** The same of the finest HH band: details of one pixel. */
  readonly swdFinest: number;
}

/** What a student costs, counted. */
export interface Counts {
  /** Of the synthesis network in training. */
  readonly parameters: number;
  /** Without auxiliary heads, demodulation merged where it can be. */
  readonly inferenceParameters: number;
  /** Multiply-adds of an image: convolutions and FIR filters. */
  readonly multiplyAdds: number;
  /** Parts whose multiply-adds are not among these; absent if there are none. */
  readonly uncounted?: readonly string[];
}

/** What a student costs, measured. */
export interface Times {
  /** Median milliseconds of an image, without auxiliary heads. */
  readonly ms: number;
  /** The same with demodulation merged into the weights; the same number where it cannot be. */
  readonly fusedMs: number;
}

const FIRST_SEED = 3_000_000; // of a stream that training does not draw, and no held-out seed

/** Measures students of one teacher, whose images are made once. */
export function openQuality(
  teacher: Teacher,
  { engine, images }: { readonly engine: Engine; readonly images: number },
): (student: Student) => Promise<Quality> {
  const seeds = Array.from({ length: images }, (_, i) => FIRST_SEED + i);
  let made: Promise<HostArray> | undefined;
  return async (student) => {
    made ??= generateImages(teacher, { seeds }, { engine });
    const reference = await made;
    const own = await generateImages(student, { seeds }, { engine });
    const similarities = ssim(own, reference);
    const distances = slicedWasserstein(own, reference);
    return {
      psnrDb: setPsnrDb(own, reference),
      ssim: similarities.reduce((sum, value) => sum + value, 0) / similarities.length,
      swd: distances["mean"]!,
      swdFinest: distances[`hh_${student.config.sizePx / 2}px`]!,
    };
  };
}

/** Counts a student. */
export function countsOf(config: StudentConfig, parts: PartSource): Counts {
  const cost = inferenceCost(config, parts);
  const { total: inference } = cost;
  const uncounted = uncountedParts(cost);
  return {
    parameters: studentCost(config, parts).total.parameters,
    inferenceParameters: inference.parameters,
    multiplyAdds: inference.convolution + inference.filter,
    ...uncounted.length > 0 && { uncounted },
  };
}

/** A student without auxiliary heads, with demodulation as it was trained or merged. */
function timed(subject: string, student: Student, fused: boolean): Timed {
  const weights = under(student.weights, "synthesis");
  const lean = fuseMobileSynthesis(weights, student.config, student.parts);
  const form = fused ? lean : { weights, config: { ...student.config, auxiliary: false } };
  const own = { ...student, config: form.config, weights: prefixed(form.weights, "synthesis") };
  return {
    subject,
    config: own.config,
    image: ({ z, noise }) => {
      const w = mapping(under(lift(student.weights), "mapping"), z, student.config);
      return runSynthesis(own, { w, noise }).image;
    },
  };
}

/** Times students image by image, in turn: what else the machine does meets all of them. */
export async function measureStudentTimes(
  students: Readonly<Record<string, Student>>,
  { engine, runs }: { readonly engine: Engine; readonly runs: number },
): Promise<Record<string, Times>> {
  const names = Object.keys(students);
  const networks = names.flatMap((name) =>
    [false, true].map((fused) => timed(`${name}${fused ? ", fused" : ""}`, students[name]!, fused))
  );
  const measured = await measureTimes(networks, { engine, runs, seed: 0, tick: () => {} });
  const msOf = (i: number) => measured[i]!.values["ms"]!;
  return Object.fromEntries(
    names.map((name, i) => [name, { ms: msOf(2 * i), fusedMs: msOf(2 * i + 1) }]),
  );
}
