import { createEngine } from "../engine/mod.ts";
import { partsOf } from "../core/check_plugin.ts";
import { conformanceOf } from "../pipelines/conformance/mod.ts";
import { builtin, createRegistry } from "../registry.ts";

const engines = [await createEngine({ engine: "tfjs" }), await createEngine()] as const;
const registry = createRegistry();
const parts = partsOf(builtin, false);

for (const { name, run } of conformanceOf(parts, registry, engines)) Deno.test(name, run);

Deno.test.afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});
