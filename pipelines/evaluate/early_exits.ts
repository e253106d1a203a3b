/**
 * What a student gives when it is stopped at an auxiliary head: quality, cost and time of each.
 *
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { areaMatrix, bilinearMatrix } from "../../core/axis_matrix.ts";
import type { HostArray } from "../../core/contracts.ts";
import { lift } from "../../core/flat.ts";
import { under } from "../../core/params.ts";
import type { Engine } from "../../engine/mod.ts";
import { inverseHaar } from "../../layers/haar.ts";
import { resample } from "../../layers/resample.ts";
import { psnr, ssim } from "../../metrics/distance.ts";
import { studentCost } from "../../networks/cost.ts";
import type { Student } from "../../networks/generator.ts";
import { mapping } from "../../networks/mapping.ts";
import { mobileSynthesis } from "../../networks/mobile_synthesis.ts";
import { planStudent } from "../../networks/student_plan.ts";
import { latentsFor } from "./latents.ts";
import type { Measurement } from "./measurement.ts";
import type { RunningSubject } from "./subjects.ts";
import type { Tick } from "./tracked.ts";

/** The stages that have a head, by their index: 0 at 4 px. */
function headStages({ config, parts }: Pick<Student, "config" | "parts">): number[] {
  return planStudent(config, parts).stages.flatMap(({ head }, stage) => head ? [stage] : []);
}

/** The sides in pixels of the images that the heads give, coarsest first; the last is the whole. */
export function exitSizes(student: Pick<Student, "config" | "parts">): number[] {
  const heads = headStages(student);
  return heads.map((stage) => student.config.sizePx / 2 ** (heads.at(-1)! - stage));
}

/** Images of every head for some latents. */
export interface ExitImages {
  /** The teacher's whole image. */
  readonly teacher: HostArray;
  /** Coarsest first, each at its own size. */
  readonly heads: readonly HostArray[];
}

/** The quality of every exit against the teacher. */
export interface MeasuredExits {
  readonly measurements: readonly Measurement[];
  /** Of the first latents. */
  readonly images: ExitImages;
}

interface Runs {
  /** Images of the heads at their own size, and enlarged to the whole. */
  readonly own: tf.Tensor[];
  readonly enlarged: tf.Tensor[];
  /** The teacher's image at the sizes of the heads. */
  readonly reduced: tf.Tensor[];
}

/**
 * Compares the image of every head with the teacher's image: at the head's own size, to which the
 * teacher's is averaged, and at the whole size, to which the head's is enlarged bilinearly.
 */
export async function measureExits(
  { student, teacher }: {
    readonly student: RunningSubject<Student>;
    readonly teacher: RunningSubject;
  },
  { engine, seed, count, batch, tick }: {
    readonly engine: Engine;
    readonly seed: number;
    readonly count: number;
    readonly batch: number;
    readonly tick: Tick;
  },
): Promise<MeasuredExits> {
  const { config } = student.generator;
  const sizes = exitSizes(student.generator);
  const latents = latentsFor({ seed, purpose: "images" }, config);
  const compare = engine.compile(
    ({ heads, image }: { heads: tf.Tensor[]; image: tf.Tensor }): Runs => {
      const own = heads.map((bands) => inverseHaar(bands as tf.Tensor4D));
      return {
        own,
        enlarged: own.map((small, i) => {
          const matrix = bilinearMatrix(sizes[i]!, config.sizePx, { alignCorners: false });
          return resample(small, matrix, matrix);
        }),
        reduced: sizes.map((size) => {
          const matrix = areaMatrix(config.sizePx, size);
          return resample(image as tf.Tensor4D, matrix, matrix);
        }),
      };
    },
    { name: "early exits" },
  );
  const sums = sizes.map(() => ({ psnr: 0, ssim: 0, wholePsnr: 0, wholeSsim: 0 }));
  let kept: ExitImages | undefined;
  for (let first = 0; first < count; first += batch) {
    const noise = latents.noise(first, batch);
    const w = await student.running.styles(latents.z(first, batch));
    const { heads } = await student.running.images(w, noise, { batch, heads: true });
    const { image } = await teacher.running.images(
      await teacher.running.styles(latents.z(first, batch)),
      noise,
      { batch },
    );
    const { own, enlarged, reduced } = await compare({ heads: [...heads], image });
    kept ??= { teacher: image, heads: own };
    const size = Math.min(batch, count - first);
    const mean = (values: readonly number[]) =>
      values.slice(0, size).reduce((sum, value) => sum + value, 0) / count;
    sums.forEach((sum, i) => {
      sum.psnr += mean(psnr(own[i]!, reduced[i]!));
      if (sizes[i]! >= SSIM_PX) sum.ssim += mean(ssim(own[i]!, reduced[i]!));
      sum.wholePsnr += mean(psnr(enlarged[i]!, image));
      if (config.sizePx >= SSIM_PX) sum.wholeSsim += mean(ssim(enlarged[i]!, image));
    });
    tick(2 * size);
  }
  await compare.dispose();
  const costs = exitCosts(student.generator);
  return {
    images: kept!,
    measurements: sums.map(({ psnr, ssim, wholePsnr, wholeSsim }, i) => ({
      metric: "early_exit",
      subject: `head of ${sizes[i]} px`,
      reference: "teacher",
      values: {
        size_px: sizes[i]!,
        ...costs[i]!,
        psnr,
        ...sizes[i]! >= SSIM_PX && { ssim },
        whole_psnr: wholePsnr,
        whole_ssim: wholeSsim,
      },
    })),
  };
}

const SSIM_PX = 11; // the window of SSIM

/** Parameters and multiply-adds up to every exit, without the heads that it does not need. */
export function exitCosts(
  { config, parts }: Pick<Student, "config" | "parts">,
): { readonly parameters: number; readonly multiply_adds: number }[] {
  const { layers } = studentCost({ ...config, fused: true }, parts);
  const { usesPrevious } = planStudent(config, parts).head.part;
  return headStages({ config, parts }).map((stage) => {
    const lastPx = 4 * 2 ** stage;
    const needed = layers.filter(({ layer, sizePx }) => {
      const isEarlierHead = sizePx < lastPx && /^synthesis\.\d+\.head\./.test(layer);
      return sizePx <= lastPx && (usesPrevious || !isEarlierHead);
    });
    return {
      parameters: needed.reduce((sum, { parameters }) => sum + parameters, 0),
      multiply_adds: needed.reduce((sum, { convolution }) => sum + convolution, 0),
    };
  });
}

/** Traced: the image of one exit of latents; what only later stages need is not computed. */
export function exitImage(
  { weights, config, parts }: Student,
  exit: number,
  { z, noise }: { readonly z: tf.Tensor2D; readonly noise: readonly tf.Tensor4D[] },
): tf.Tensor4D {
  const params = lift(weights);
  const w = mapping(under(params, "mapping"), z, config);
  const bands = mobileSynthesis(under(params, "synthesis"), { w, noise }, config, parts);
  return inverseHaar(bands[exit]!);
}
