import assert from "node:assert/strict";
import { readImage } from "../../io/png.ts";
import { readSafetensorsFile, writeSafetensorsFile } from "../../io/safetensors.ts";
import { run } from "./run.ts";

Deno.test("generate draws walks and mixtures, and computes exact tensors", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-cli-generate-" });
  try {
    const weights = new URL("../golden/rosinality.pt", import.meta.url).pathname;
    const [walk, mix] = [`${folder}/walk.png`, `${folder}/mix.png`];
    const [inputs, outputs] = [`${folder}/in.safetensors`, `${folder}/out.safetensors`];
    await writeSafetensorsFile(inputs, { z: { shape: [2, 32], data: new Float32Array(64) } });
    const draw = (...args: readonly string[]) =>
      run("generate", "--weights", weights, "--threads", "1", ...args);
    const said = (out: string) => ({ code: 0, out, err: "" });
    assert.deepEqual(
      await draw("--seeds", "0,1", "--interpolate", "2", "--out", walk),
      said(`Wrote 3 frames between 2 seeds of the teacher ${weights} to ${walk}`),
    );
    assert.deepEqual(
      await draw("--seeds", "0,1", "--mix", "2-4", "--out", mix),
      said(`Wrote a table of 2 x 3 mixed styles of the teacher ${weights} to ${mix}`),
    );
    assert.deepEqual(
      await draw("--inputs", inputs, "--outputs", outputs),
      said(`Wrote image, w of the teacher to ${outputs}`),
    );
    assert.deepEqual((await readSafetensorsFile(outputs)).tensors["image"]!.shape, [2, 3, 32, 32]);
    const [width, height] = [3 + 1, 2 + 1].map((cells) => 32 * cells);
    const [rows, columns] = (await readImage(mix)).shape;
    assert.ok(rows! >= height! && columns! >= width!);
    assert.deepEqual(await draw("--inputs", inputs), {
      code: 2,
      out: "",
      err: "Cannot generate: expected --inputs and --outputs together but received only --inputs",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
