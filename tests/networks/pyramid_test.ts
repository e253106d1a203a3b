import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { haar, inverseHaar } from "../../layers/haar.ts";
import { scalesOf, teacherPyramid } from "../../networks/pyramid.ts";
import { assertClose, golden, nhwc, tensor } from "../golden.ts";
import { assertNear, normal } from "../tensors.ts";

const image = normal("image", [2, 32, 32, 3]);

Deno.test('teacherPyramid() "bilinear" is the author\'s', () => {
  const source = tensor<tf.Rank.R4>(nhwc(golden("mobilestylegan/teacher_image")));
  const pyramid = teacherPyramid(source, { method: "bilinear" });
  assert.equal(pyramid.length, 3);
  pyramid.forEach(({ teacherImage, teacherBands }, i) => {
    assertClose(teacherBands, nhwc(golden(`loss/target_freq_${i}`)));
    if (i < 2) assertClose(teacherImage, nhwc(golden(`loss/target_rgb_${i}`)));
  });
  assert.equal(pyramid[2]!.teacherImage, source);
});

Deno.test('teacherPyramid() "area" averages 2x2 pixels from scale to scale', () => {
  const pyramid = teacherPyramid(image, { method: "area" });
  assert.deepEqual(pyramid.map(({ teacherImage }) => teacherImage.shape[1]), [8, 16, 32]);
  pyramid.forEach(({ teacherImage, teacherBands }, i) => {
    const size = 32 / 2 ** (2 - i);
    const pooled = tf.avgPool(image, 32 / size, 32 / size, "valid");
    assertNear(teacherImage, pooled);
    assertNear(teacherBands, haar(pooled));
  });
});

Deno.test("scalesOf() pairs all scales, or the last ones", () => {
  const pyramid = teacherPyramid(image, { method: "area" });
  const bands = [4, 8, 16].map((size) => normal(`bands${size}`, [2, size, size, 12]));
  const scales = scalesOf(bands, pyramid);
  assert.equal(scales.length, 3);
  assertNear(scales[1]!.studentImage, inverseHaar(bands[1]!));
  assert.equal(scales[1]!.teacherImage, pyramid[1]!.teacherImage);
  const [last] = scalesOf(bands.slice(-1), pyramid);
  assert.equal(last!.teacherImage, image);
});

Deno.test("scalesOf() names bands that do not fit", () => {
  const pyramid = teacherPyramid(image, { method: "area" });
  assert.throws(() => scalesOf([normal("bands", [2, 8, 8, 12])], pyramid), {
    name: "RangeError",
    message:
      "Cannot pair the student's bands with the teacher's: expected shape [2,16,16,12] but received [2,8,8,12]",
  });
});
