/**
 * The native TensorFlow backend: every part and a whole distillation equal the compiled engine's.
 * Needs `deno task native` first; without the addon only its errors are tested.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { partsOf } from "../../core/check_plugin.ts";
import { createEngine, findNativeAddon } from "../../engine/mod.ts";
import { loadNativeBackend } from "../../engine/native.ts";
import { buildNativeAddon, removeNativeAddon } from "../../io/native_addon.ts";
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

/** Builds with an environment in which something is missing. */
async function missing(variables: Record<string, string>, python?: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-native-" });
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    await buildNativeAddon({ folder, ...python !== undefined && { python } });
    return "built";
  } catch (error) {
    return (error as Error).message;
  } finally {
    for (const [name, value] of before) {
      value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    }
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("buildNativeAddon() names each missing thing with its remedy", async () => {
  const cannot = "Cannot build the native TensorFlow addon: expected";
  assert.equal(
    await missing({ CXX: "no-such-compiler" }),
    `${cannot} a C++17 compiler but found none of no-such-compiler; install one with \`apt-get install g++\`, or name it in CXX`,
  );
  const compiler = { CXX: Deno.execPath() }; // answers --version, and compiles nothing
  assert.equal(
    await missing({ ...compiler, PATH: "/nowhere", VIRTUAL_ENV: "" }),
    `${cannot} Python 3 but found none; install it with \`apt-get install python3 python3-venv\``,
  );
  assert.equal(
    await missing(compiler, "/nowhere/python"),
    `${cannot} a Python at "/nowhere/python" but found none; give the program, or the folder of an environment`,
  );
});

Deno.test("removeNativeAddon() removes what there is, and says whether it did", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-native-" });
  const inner = join(folder, "native");
  await Deno.mkdir(inner);
  assert.equal(await removeNativeAddon(inner), true);
  assert.equal(await removeNativeAddon(inner), false);
  await Deno.remove(folder);
});
