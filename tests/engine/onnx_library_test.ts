import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import "onnxruntime-node"; // whose library is opened
import type { HostArray } from "../../core/contracts.ts";
import { createEngine, disposeArrays } from "../../engine/mod.ts";
import { openOnnxLibrary } from "../../engine/onnx_library.ts";
import { createOnnxEngine } from "../../engine/onnx.ts";

// Other systems take the package's own way, which is tested here, too.
const ignore = Deno.build.os !== "linux";

const square = (size: number): HostArray => ({
  shape: [size, size],
  data: Float32Array.from({ length: size * size }, (_, i) => (i * 37 % 101) / 50 - 1),
});

/** The same numbers; a list of thousands that differ would take minutes to write. */
function assertSame({ data }: HostArray, other: HostArray): void {
  const differing = data.filter((value, i) => value !== other.data[i]).length;
  assert.equal(differing, 0, `${differing} of ${data.length} numbers differ`);
}

/** Enough products for a run of some 100 ms. */
const power = ({ x }: { readonly x: tf.Tensor }) => {
  let y = x;
  for (let i = 0; i < 12; i++) y = tf.mul(tf.matMul(y, x), 0.01);
  return { y, sum: tf.sum(y) };
};

Deno.test({ name: "onnx leaves the program its thread while it computes", ignore }, async () => {
  const engine = await createEngine({ threads: 1 });
  const compiled = engine.compile(power, { name: "power" });
  const x = square(768);
  await compiled.prepare({ x });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  await compiled({ x });
  clearInterval(timer);
  assert.ok(ticks >= 5, `${ticks} ticks`);
  await engine.dispose();
});

Deno.test({ name: "onnx computes in lanes what it computes alone", ignore }, async () => {
  const engine = await createEngine({ threads: 2 });
  assert.equal(engine.lanes, 2);
  const compiled = engine.compile(power, { name: "power", lanes: 2 });
  const inputs = [128, 128, 128, 128, 128].map((size, i) => ({
    x: { ...square(size), data: square(size).data.map((value) => value / (i + 1)) },
  }));
  const alone = [];
  for (const input of inputs) alone.push(structuredClone(await compiled(input)));
  const together = await Promise.all(inputs.map((input) => compiled(input)));
  for (const [i, { y }] of together.entries()) assertSame(y, alone[i]!.y);
  await engine.dispose();
});

Deno.test({ name: "onnx in lanes of several threads is the same", ignore }, async () => {
  const engine = await createEngine({ threads: 4 });
  const compiled = engine.compile(power, { name: "power", lanes: 2 });
  const x = square(128);
  const [one, other] = await Promise.all([compiled({ x }), compiled({ x })]);
  assertSame(one.y, other.y);
  await engine.dispose();
});

Deno.test("onnx writes results again once they were given back", { ignore }, async () => {
  const engine = await createEngine({ threads: 1 });
  const double = engine.compile(({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, 2) }), {
    name: "double",
    resident: ["y"],
  });
  const x = square(4);
  const { y } = await double({ x }) as unknown as { y: HostArray };
  disposeArrays(y);
  const next = await double({ x }) as unknown as { y: HostArray };
  assert.equal(next.y.data, y.data);
  assert.deepEqual(next.y.data, x.data.map((value) => 2 * value));
  await engine.dispose();
});

Deno.test("onnx of a process that will give up native code takes turns, and is the same", async () => {
  const [confined, other] = [
    await createEngine({ threads: 2, confined: true }),
    await createEngine({ threads: 2 }),
  ];
  assert.equal(confined.lanes, 1);
  assert.equal(confined.largeBatches, "whole");
  const x = square(64);
  const results = await Promise.all(
    [confined, other].map((engine) => engine.compile(power, { name: "power" })({ x })),
  );
  assertSame(results[0]!.y, results[1]!.y);
  await confined.dispose();
  await other.dispose();
});

Deno.test({
  name: "onnx without the permission to call native code takes the package's way",
  ignore,
  permissions: { ffi: false, read: true, env: true, sys: true },
  fn() {
    assert.equal(openOnnxLibrary(), undefined);
  },
});

Deno.test({ name: "openOnnxLibrary() says why a model is refused", ignore }, async () => {
  const engine = await createOnnxEngine({ threads: 1 }); // has loaded the package
  const library = openOnnxLibrary()!;
  const options = { threads: 1, inputs: 0, outputs: 1, config: {} };
  await assert.rejects(library.compile(Uint8Array.of(1, 2, 3), options), {
    message:
      'Cannot use ONNX Runtime: expected success but received "Failed to load model because protobuf parsing failed."',
  });
  library.close();
  await engine.dispose();
});

Deno.test("an engine can be disposed twice, and says so when it is used afterwards", async () => {
  const engine = await createEngine({ threads: 1 });
  const compiled = engine.compile(power, { name: "power" });
  const x = square(8);
  await compiled({ x });
  await Promise.all([engine.dispose(), engine.dispose()]);
  await engine.dispose();
  await assert.rejects(compiled({ x }), {
    message:
      'Cannot run "power": expected an open engine but it was disposed; make another by createEngine()',
  });
});

Deno.test({ name: "onnx refuses a function that is being disposed", ignore }, async () => {
  const engine = await createEngine({ threads: 1 });
  const compiled = engine.compile(power, { name: "power" });
  const x = square(256);
  await compiled({ x });
  const underWay = compiled({ x });
  const disposed = compiled.dispose();
  const late = assert.rejects(compiled({ x }), {
    message: 'Cannot run "power": expected it open but it was disposed',
  });
  assert.ok((await underWay).y); // what was under way ends
  await Promise.all([disposed, late]);
  assert.ok((await compiled({ x })).y); // opened anew
  await engine.dispose();
});
