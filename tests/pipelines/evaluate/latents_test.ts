import assert from "node:assert/strict";
import { createRandom } from "../../../core/random.ts";
import { latentsFor } from "../../../pipelines/evaluate/latents.ts";

const config = { styleDim: 6, sizePx: 16 };

Deno.test("latentsFor() is a function of the index, for any batch", () => {
  const latents = latentsFor({ seed: 5, purpose: "images" }, config);
  const all = latents.z(0, 7);
  assert.deepEqual(latents.z(3, 4).data, all.data.subarray(18));
  const [whole, part] = [latents.noise(0, 7), latents.noise(5, 1)];
  assert.deepEqual(part.map(({ shape }) => shape), [
    [1, 4, 4, 1],
    [1, 8, 8, 1],
    [1, 8, 8, 1],
    [1, 16, 16, 1],
    [1, 16, 16, 1],
  ]);
  part.forEach(({ data }, i) =>
    assert.deepEqual(data, whole[i]!.data.subarray(5 * data.length, 6 * data.length))
  );
});

Deno.test("latentsFor() draws nothing that training or another purpose draws", () => {
  const first = (purpose: "images" | "reference" | "path starts" | "path ends") =>
    latentsFor({ seed: 5, purpose }, config).z(0, 1).data;
  const drawn = [
    ...(["images", "reference", "path starts", "path ends"] as const).map(first),
    ...["z", "mix"].map((stream) => createRandom(5, stream).normal([6]).data), // training
    createRandom(5, "latent").normal([6]).data, // generate
  ].map(String);
  assert.equal(new Set(drawn).size, drawn.length);
});
