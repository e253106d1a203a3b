/**
 * The native TensorFlow backend: every part and a whole distillation equal the compiled engine's.
 * Needs `deno task native` first; without the addon only its errors are tested.
 */
import assert from "node:assert/strict";
import { partsOf } from "../../core/check_plugin.ts";
import { createEngine, findNativeAddon } from "../../engine/mod.ts";
import { loadNativeBackend } from "../../engine/native.ts";
import { conformanceOf } from "../../pipelines/conformance/mod.ts";
import { builtin, createRegistry } from "../../registry.ts";
import { assertSameDistillation } from "./same_distillation.ts";

const addon = findNativeAddon();
const ignore = addon === undefined;
const registry = createRegistry();
const compiled = await createEngine({ threads: 2 });
const native = await createEngine({ engine: "tfjs", threads: 2 });

Deno.test.afterAll(async () => {
  await compiled.dispose();
  await native.dispose();
});

Deno.test("createEngine() uses the native addon where it was built", { ignore }, () => {
  assert.match(
    native.description,
    /^TensorFlow\.js 4\.22\.0 on native TensorFlow 2\.\d+\.\d+ on (the CPU|a CUDA GPU), eager, 2 threads$/,
  );
});

Deno.test("createEngine() computes in JavaScript where the addon is not wanted", async () => {
  const engine = await createEngine({ engine: "tfjs", native: false });
  assert.equal(engine.description, "TensorFlow.js 4.22.0 on the CPU, eager, 1 thread");
});

for (
  const { name, run } of conformanceOf(partsOf(builtin, false), registry, [native, compiled])
) {
  Deno.test(`native: ${name}`, { ignore }, run);
}

Deno.test("distill() makes the same ten steps natively as compiled", { ignore }, async () => {
  await assertSameDistillation(native, compiled, { steps: 10, tolerance: 1e-5 });
});

Deno.test("loadNativeBackend() says what CUDA lacks", async () => {
  const options = { device: "cuda", threads: 1 } as const;
  await assert.rejects(loadNativeBackend(undefined, options), {
    message:
      'Cannot create the engine "tfjs" on "cuda": expected the native TensorFlow addon but it is not built; run `deno task native --cuda`',
  });
  const cpuOnly = { package: "/nowhere", tensorflow: "2.21.0", cuda: false };
  await assert.rejects(loadNativeBackend(cpuOnly, options), {
    message:
      'Cannot create the engine "tfjs" on "cuda": expected a TensorFlow with CUDA but the native addon was built against TensorFlow 2.21.0 without it; run `deno task native --cuda`',
  });
});
