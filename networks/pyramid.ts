import * as tf from "@tensorflow/tfjs";
import { bilinearMatrix } from "../core/axis_matrix.ts";
import type { Scale } from "../core/contracts.ts";
import { haar, inverseHaar } from "../layers/haar.ts";
import { resample } from "../layers/resample.ts";

/**
 * How the teacher's image is reduced to the coarser scales: `bilinear` is the author's preset
 * (align-corners, aliasing), `area` the mean of 2x2 pixels, which is half of the Haar LL band.
 */
export type PyramidMethod = "bilinear" | "area";

/** The teacher's side of a scale. */
export type TeacherScale = Pick<Scale, "teacherImage" | "teacherBands">;

const coarsestPx = 8; // a student's first head, at 4 px, predicts an 8 px image

/**
 * The teacher's image at 8, 16, ..., S pixels with the wavelet bands of each, coarsest first.
 *
 * - Shapes: `image` `[N,S,S,3]`; images `[N,s,s,3]`, bands `[N,s/2,s/2,12]`.
 * - Source: MobileStyleGAN, arXiv:2104.04767, section 4; `bilinear` as in the author's code.
 */
export function teacherPyramid(
  image: tf.Tensor4D,
  { method }: { readonly method: PyramidMethod },
): TeacherScale[] {
  const [n, sizePx, , channels] = image.shape;
  const pyramid: TeacherScale[] = [];
  let teacherImage = image;
  for (let size = sizePx; size >= coarsestPx; size /= 2) {
    const teacherBands = haar(teacherImage);
    pyramid.unshift({ teacherImage, teacherBands });
    const half = size / 2;
    if (method === "area") {
      const low = tf.slice(teacherBands, [0, 0, 0, 0], [n, half, half, channels]);
      teacherImage = tf.mul(low, 0.5);
    } else if (half >= coarsestPx) {
      // Every scale from the full image, not from the next finer one: the two differ.
      const matrix = bilinearMatrix(sizePx, half, { alignCorners: true });
      teacherImage = resample(image, matrix, matrix);
    }
  }
  return pyramid;
}

/**
 * Pairs the student's bands with the teacher's pyramid by scale, and adds the student's images.
 *
 * A student without auxiliary heads gives the bands of the last scale only.
 *
 * @param bands The student's bands, coarsest first.
 * @throws {RangeError} If bands and pyramid do not fit.
 */
export function scalesOf(
  bands: readonly tf.Tensor4D[],
  pyramid: readonly TeacherScale[],
): Scale[] {
  const targets = pyramid.slice(-bands.length);
  return bands.map((studentBands, i) => {
    const target = targets[i];
    if (!target || `${target.teacherBands.shape}` !== `${studentBands.shape}`) {
      throw new RangeError(
        `Cannot pair the student's bands with the teacher's: expected shape [${
          target?.teacherBands.shape ?? "none"
        }] but received [${studentBands.shape}]`,
      );
    }
    return { ...target, studentBands, studentImage: inverseHaar(studentBands) };
  });
}
