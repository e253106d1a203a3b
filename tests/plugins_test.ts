import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { lift } from "../core/flat.ts";
import { createEngine } from "../engine/mod.ts";
import { initMobileSynthesis, mobileSynthesis } from "../networks/mobile_synthesis.ts";
import { testPlugin } from "../pipelines/test_plugin.ts";
import robust from "../plugins/charbonnier.ts";
import subpixel from "../plugins/pixel_shuffle.ts";
import { createRegistry } from "../registry.ts";

const engines = [await createEngine({ engine: "tfjs" }), await createEngine()] as const;
Deno.test.afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});
const plugins = { "charbonnier.ts": robust, "pixel_shuffle.ts": subpixel };

Deno.test("plugins/ holds nothing that is not tested here", () => {
  const files = [...Deno.readDirSync(new URL("../plugins/", import.meta.url))]
    .map(({ name }) => name).filter((name) => name.endsWith(".ts"));
  assert.deepEqual(files.sort(), Object.keys(plugins).sort());
});

for (const [file, plugin] of Object.entries(plugins)) {
  Deno.test(`plugins/${file} does what its kind asks for`, async () => {
    const checks = await testPlugin(plugin, { engines });
    assert.ok(checks.length >= 8, `${checks.length}`);
  });
}

Deno.test("a student takes a plugin's part by name", () => {
  const registry = createRegistry().use(robust).use(subpixel);
  const config = {
    sizePx: 16,
    styleDim: 4,
    mappingLayers: 1,
    channels: [8, 4],
    upscale: { name: "subpixel/pixel_shuffle" },
    conv: { name: "modulated" },
    demodulation: { name: "styled" },
    head: { name: "single" },
    auxiliary: true,
  };
  const weights = initMobileSynthesis(config, 1, registry);
  assert.deepEqual(weights["8.upscale.subpixel/pixel_shuffle.weight"]?.shape, [1, 1, 8, 32]);
  tf.tidy(() => {
    const w = tf.ones([2, 4]);
    const bands = mobileSynthesis(lift(weights), { w }, config, registry);
    assert.deepEqual(bands.map(({ shape }) => shape), [[2, 4, 4, 12], [2, 8, 8, 12]]);
  });
});

/** Never called: what the compiler must accept and refuse. */
export function types(): void {
  const registry = createRegistry().use(robust).use(subpixel);
  registry.resolve("upscale", { name: "subpixel/pixel_shuffle" });
  const { options } = registry.resolve("loss", {
    name: "robust/charbonnier",
    options: { epsilon: 0.01 },
  });
  const epsilon: number = options.epsilon;
  // @ts-expect-error an option of another type
  registry.resolve("loss", { name: "robust/charbonnier", options: { epsilon: "0.01" } });
  void epsilon;
}
