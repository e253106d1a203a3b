/**
 * The real images of a teacher's training: functions of the seed and of the images' indices.
 *
 * @module
 */
import type { HostArray } from "../core/contracts.ts";
import { createRandom } from "../core/random.ts";
import { openAvatars } from "../data/avatars.ts";
import { openImageFolder } from "../data/image_folder.ts";
import type { ImageSource } from "../data/image_source.ts";
import type { TrainTeacherConfig } from "./train_teacher_config.ts";

/** The real images that a configuration names. */
export async function openImages(
  { data, network: { sizePx } }: TrainTeacherConfig,
): Promise<ImageSource> {
  return data === "avatars"
    ? await openAvatars({ sizePx })
    : await openImageFolder({ folder: data, sizePx });
}

/** The real images of a step. */
export async function readReal(
  images: ImageSource,
  { seed, batch, dataImages, flips }: TrainTeacherConfig,
  step: number,
): Promise<HostArray> {
  const draws = Array.from({ length: batch }, (_, i) => {
    const random = createRandom(seed, "real", step * batch + i);
    const index = random.integer(Math.min(dataImages, images.length));
    return { index, flipped: flips && random.next() < 0.5 };
  });
  const real = await images.batch(draws.map(({ index }) => index));
  draws.forEach(({ flipped }, i) => flipped && mirror(real, i));
  return real;
}

/** Mirrors one image of a batch in place. */
function mirror({ shape, data }: HostArray, image: number): void {
  const [, height, width, channels] = shape as [number, number, number, number];
  for (let y = 0; y < height; y++) {
    const row = (image * height + y) * width * channels;
    for (let x = 0; x < width / 2; x++) {
      for (let c = 0; c < channels; c++) {
        const [a, b] = [row + x * channels + c, row + (width - 1 - x) * channels + c];
        [data[a], data[b]] = [data[b]!, data[a]!];
      }
    }
  }
}
