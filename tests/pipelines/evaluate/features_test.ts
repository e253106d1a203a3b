import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../../../core/contracts.ts";
import { lift } from "../../../core/flat.ts";
import { fromBytes, toBytes } from "../../../core/pixels.ts";
import { createRandom } from "../../../core/random.ts";
import { createEngine } from "../../../engine/mod.ts";
import { discriminatorFeatures } from "../../../networks/discriminator.ts";
import { openEvaluationFeatures } from "../../../pipelines/evaluate/features.ts";
import { tinyTeacher } from "./tiny_subjects.ts";

const engine = await createEngine({ engine: "tfjs" });
const teacher = tinyTeacher();
const open = () => openEvaluationFeatures({ name: "discriminator" }, { engine, teacher });
const images: HostArray = createRandom(1, "features").uniform([19, 16, 16, 3], -1.2, 1.2);

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-4): void {
  assert.equal(actual.length, expected.length);
  Array.from(
    expected,
    (value, i) =>
      assert.ok(Math.abs(actual[i]! - value) < tolerance, `${actual[i]} instead of ${value}`),
  );
}

Deno.test("openEvaluationFeatures() averages the discriminator's maps of images as bytes", async () => {
  const features = await open();
  const { shape, data } = await features.vectors(images); // more than one batch
  const { weights, config } = teacher.discriminator!;
  const bytes = tf.tensor4d(fromBytes(toBytes(images.data)), [19, 16, 16, 3]);
  const expected = tf.tidy(() =>
    tf.concat(
      discriminatorFeatures(lift(weights), bytes, config).map((map) => tf.mean(map, [1, 2])),
      1,
    )
  );
  assert.deepEqual([...shape], expected.shape);
  near(data, expected.dataSync());
  await features.dispose();
});

Deno.test("openEvaluationFeatures() measures distances of pairs", async () => {
  const features = await open();
  const other = { shape: images.shape, data: images.data.map((value) => value * 0.9) };
  const distances = await features.distance(images, other);
  assert.equal(distances.length, 19);
  assert.ok(distances.every((value) => value > 0));
  near(await features.distance(images, images), new Array(19).fill(0));
  near(await features.distance(other, images), distances);
  await features.dispose();
});

Deno.test("openEvaluationFeatures() names networks by their checksum", async () => {
  const [own, other] = [await open(), await open()];
  assert.equal(own.label, other.label);
  const weights = { ...teacher.discriminator!.weights };
  weights["4.out.bias"] = { shape: [1], data: Float32Array.of(1) };
  const changed = await openEvaluationFeatures({ name: "discriminator" }, {
    engine,
    teacher: { ...teacher, discriminator: { ...teacher.discriminator!, weights } },
  });
  assert.notEqual(changed.label, own.label);
  assert.equal(
    own.description,
    `the teacher's discriminator, the outputs of its residual blocks, averaged over the positions (checksum ${own.checksum})`,
  );
});

Deno.test("openEvaluationFeatures() says how to give what is missing", async () => {
  const { discriminator: _, ...plain } = teacher;
  const remedy =
    "give --features vgg16=FILE, --features inception=FILE or --features FILE.onnx, or --metrics swd,distance,cost";
  await assert.rejects(
    openEvaluationFeatures({ name: "discriminator" }, { engine, teacher: plain }),
    {
      name: "RangeError",
      message:
        `Cannot open the features "discriminator": expected a teacher with its discriminator but received one without it; ${remedy}`,
    },
  );
  await assert.rejects(
    openEvaluationFeatures({ name: "discriminator" }, { engine, teacher: undefined }),
    {
      name: "RangeError",
      message:
        `Cannot open the features "discriminator": expected a teacher with its discriminator but received no teacher; ${remedy}`,
    },
  );
  const before = Deno.env.get("TORCH_HOME");
  Deno.env.set("TORCH_HOME", "/nowhere");
  try {
    await assert.rejects(openEvaluationFeatures({ name: "inception" }, { engine, teacher }), {
      name: "RangeError",
      message:
        'Cannot open the features "inception": expected their weights at /nowhere/hub/checkpoints/pt_inception-2015-12-05-6726825d.pth but there is no such file; give --features inception=FILE',
    });
  } finally {
    if (before === undefined) Deno.env.delete("TORCH_HOME");
    else Deno.env.set("TORCH_HOME", before);
  }
});
