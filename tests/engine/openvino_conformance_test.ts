/**
 * OpenVINO against ONNX Runtime: every kernel with its derivatives, parts, and a distillation; the
 * latter in bfloat16 too. The golden fixtures run on it in `tests/parity/`. `deno task test:openvino`
 * runs all of it; where OpenVINO is not installed, or the CPU has no bfloat16, it is ignored.
 */
import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { HostArray } from "../../core/contracts.ts";
import { partsOf } from "../../core/check_plugin.ts";
import { lift } from "../../core/flat.ts";
import { createRandom } from "../../core/random.ts";
import { findOpenvino } from "../../engine/find_openvino.ts";
import { createEngine, type Engine } from "../../engine/mod.ts";
import { discriminatorFeatures, initDiscriminator } from "../../networks/discriminator.ts";
import { conformanceOf } from "../../pipelines/conformance/mod.ts";
import { distill } from "../../pipelines/distill.ts";
import { builtin, createRegistry } from "../../registry.ts";
import { assertClose } from "../golden.ts";
import { tinyDistill, tinyTeacher } from "../pipelines/tiny.ts";
import { assertSameDistillation, assertSameLosses } from "./same_distillation.ts";
import { compareKernels } from "./same_kernels.ts";

const ignore = !("path" in findOpenvino(undefined));
const onnx = await createEngine({ threads: 1 });
const openvino = ignore ? onnx : await createEngine({ engine: "openvino", threads: 1 });
const half = ignore ? undefined : await createHalf();

Deno.test.afterAll(async () => {
  await onnx.dispose();
  await openvino.dispose();
  await half?.dispose();
});

/** The engine in bfloat16, where the CPU has it. */
async function createHalf(): Promise<Engine | undefined> {
  try {
    return await createEngine({ engine: "openvino", precision: "bf16", threads: 1 });
  } catch (error) {
    if (error instanceof RangeError && error.message.includes("no instructions")) return undefined;
    throw error;
  }
}

for (const { kernel, compare } of compareKernels([])) {
  Deno.test(
    `openvino: kernel ${kernel} is ONNX Runtime's, derivatives too`,
    { ignore },
    async () => {
      await compare(onnx, openvino, 1e-4);
    },
  );
}

/** The slope of a discriminator's features: through filters that are constant, and read both ways. */
async function slopes(engine: Engine): Promise<[own: HostArray, expected: HostArray]> {
  const config = { sizePx: 16, channels: [8, 8, 4], stddevGroup: 4 };
  const weights = initDiscriminator(config, 1);
  const slope = (image: tf.Tensor4D) =>
    tf.grad((x) => {
      const maps = discriminatorFeatures(lift(weights), x as tf.Tensor4D, config);
      return tf.addN(maps.map((map) => tf.mean(tf.square(map))));
    })(image);
  const image = createRandom(1, "image").normal([8, 16, 16, 3]);
  const run = async (engine: Engine) => await engine.compile(slope, { name: "slope" })(image);
  return [await run(engine), await run(onnx)];
}

Deno.test("openvino: frozen filters are read both ways", { ignore }, async () => {
  const [own, expected] = await slopes(openvino);
  assertClose(own, expected, 1e-5);
});

Deno.test("openvino, bf16: frozen filters are read both ways", { ignore: !half }, async () => {
  const [own, expected] = await slopes(half!);
  const power = (values: Iterable<number>) => [...values].reduce((sum, x) => sum + x * x, 0);
  const wrong = power(own.data.map((x, i) => x - expected.data[i]!)) / power(expected.data);
  assert.ok(wrong < 0.05 ** 2, `differs by ${Math.sqrt(wrong)} of its length`);
});

const general = / has options | makes whole and repeatable weights$| survives /;
const parts = partsOf(builtin, false);
for (const { name, run } of conformanceOf(parts, createRegistry(), [onnx, openvino])) {
  if (!name.endsWith("gives the same on every engine") || general.test(name)) continue;
  Deno.test(`openvino: ${name}`, { ignore }, run);
}

Deno.test("openvino: distill() makes ONNX Runtime's ten steps", { ignore }, async () => {
  await assertSameDistillation(openvino, onnx, { steps: 10, tolerance: 1e-4 });
});

Deno.test("openvino: distill() in lanes makes ONNX Runtime's ten steps", { ignore }, async () => {
  const lanes = await createEngine({ engine: "openvino", threads: 2 });
  await assertSameDistillation(lanes, onnx, { steps: 10, tolerance: 1e-4 });
  await lanes.dispose();
});

Deno.test(
  "openvino: distill() stopped and run again ends with the same bytes",
  { ignore },
  async () => {
    const lanes = await createEngine({ engine: "openvino", threads: 2 });
    const folder = await Deno.makeTempDir({ prefix: "haarlem-openvino-" });
    const run = async (name: string, stopAt: number) => {
      const abort = new AbortController();
      const context = { engine: lanes, registry: createRegistry(), teacher: tinyTeacher() };
      const options = { ...context, out: `${folder}/${name}`, signal: abort.signal };
      for await (const event of distill(tinyDistill, options)) {
        if (event.kind === "step" && event.step === stopAt) abort.abort();
      }
      return await Deno.readFile(`${folder}/${name}/student.safetensors`).catch(() => undefined);
    };
    try {
      const whole = await run("whole", 0);
      await run("stopped", 7);
      assert.deepEqual(await run("stopped", 0), whole);
      assert.ok(whole);
    } finally {
      await lanes.dispose();
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("openvino, bf16: distill() goes the way of float32", { ignore: !half }, async () => {
  await assertSameLosses(half!, onnx, { steps: 10, tolerance: 0.05 });
});
