import { createRandom, createRegistry, testPlugin, tf } from "haarlem";
import assert from "node:assert/strict";
import latent from "./mod.ts";

const [relation] = latent.losses;
const defaults = { strength: 0.3, temperature: 0.5 };

/** The loss where images `[N,2,2,3]` are their styles `[N,12]`, and the student's a function of them. */
function lossOf(student: (w: tf.Tensor) => tf.Tensor, options = defaults): number {
  return tf.tidy(() => {
    const random = createRandom(1, "test");
    const normal = (shape: readonly number[], deviation?: number) =>
      tf.tensor(random.normal(shape, deviation).data, [...shape]);
    const image = (of: tf.Tensor) => tf.reshape(of, [-1, 2, 2, 3]) as tf.Tensor4D;
    const runStudent = (w: tf.Tensor) => image(student(w));
    const w = normal([4, 12]);
    const bands = tf.zeros([4, 1, 1, 12]) as tf.Tensor4D;
    const images = { studentImage: runStudent(w), teacherImage: image(w) };
    const loss = relation.student!({
      scales: [{ ...images, studentBands: bands, teacherBands: bands }],
      w,
      noise: [],
      random: { normal, uniform: (shape, minimum) => tf.fill([...shape], minimum) },
      runStudent,
      runTeacher: image,
      features: (image) => [image],
      discriminate: () => tf.zeros([4, 1]),
    }, options);
    return loss.dataSync()[0]!;
  });
}

Deno.test("latent/relation does what its kind asks for", async () => {
  const checks = await testPlugin(latent);
  assert.equal(checks.length, 8);
});

Deno.test("latent/relation is 0 where changes agree, whatever the images and their contrast", () => {
  for (const student of [(w: tf.Tensor) => w, (w: tf.Tensor) => tf.add(tf.mul(w, 2), 5)]) {
    assert.ok(Math.abs(lossOf(student)) < 1e-5);
  }
});

Deno.test("latent/relation is positive where the student ignores a part of the style", () => {
  const deaf = (w: tf.Tensor) => tf.mul(w, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
  const [warm, cold] = [1, 0.1].map((temperature) => lossOf(deaf, { ...defaults, temperature }));
  assert.ok(warm! > 1e-3 && cold! > warm!, `${warm} ${cold}`);
});

/** Never called: what the compiler accepts and refuses. */
export function types(): void {
  const registry = createRegistry().use(latent);
  registry.resolve("loss", { name: "latent/relation", options: { strength: 1 } });
  // @ts-expect-error an option of another type
  registry.resolve("loss", { name: "latent/relation", options: { strength: "strong" } });
}
