/** The smallest student, teacher and real images that an evaluation can be made of: 16 px. */
import { createRandom } from "../../../core/random.ts";
import { createImageSource, type ImageSource } from "../../../data/image_source.ts";
import { initDiscriminator } from "../../../networks/discriminator.ts";
import {
  createStudent,
  createTeacher,
  type Student,
  type Teacher,
} from "../../../networks/generator.ts";
import { createRegistry } from "../../../registry.ts";

const channels = [8, 8, 4];

/** A teacher with random weights and a discriminator. */
export function tinyTeacher(seed = 3): Teacher {
  const discriminator = { sizePx: 16, channels, stddevGroup: 4 };
  return {
    ...createTeacher({ sizePx: 16, styleDim: 8, mappingLayers: 2, channels }, { seed }),
    discriminator: { config: discriminator, weights: initDiscriminator(discriminator, 1) },
  };
}

/** A student with random weights. */
export function tinyStudent(
  teacher: Teacher,
  parts: Parameters<typeof createStudent>[1] = {},
): Student {
  return createStudent(teacher, parts, { registry: createRegistry(), seed: 4 });
}

/** So many images of noise. */
export function tinyImages(length: number): ImageSource {
  return createImageSource({
    name: "noise, 16 px",
    sizePx: 16,
    length,
    load: (indices) =>
      Promise.resolve(indices.map((index) => {
        const random = createRandom(1, "tiny images", index);
        return Uint8Array.from({ length: 16 * 16 * 3 }, () => random.integer(256));
      })),
  });
}
