import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createCompiledEngine } from "../../engine/compiled.ts";
import { createEngine, type Engine, type HostArray } from "../../mod.ts";
import { type Compute, stepRunner } from "../../pipelines/step_runner.ts";

const onnx = await createEngine({ threads: 1 });
const eager = await createEngine({ engine: "tfjs", native: false });

Deno.test.afterAll(async () => {
  await onnx.dispose();
  await eager.dispose();
});

const x = { shape: [2], data: Float32Array.of(1, 2) };
const total = ({ data }: HostArray) => data.reduce((sum, number) => sum + number, 0);

/** A step of two graphs, of which the second is fed with what the first makes. */
function graphsOf(engine: Engine) {
  const first = engine.compile(
    ({ x }: { x: tf.Tensor }) => ({ squares: tf.square(x), sums: [tf.sum(x, 0, true)] }),
    { name: "first" },
  );
  const second = engine.compile(
    ({ squares, sums }: { squares: tf.Tensor; sums: readonly tf.Tensor[] }) =>
      tf.add(tf.reshape(squares, [2, 1]), sums[0]!),
    { name: "second" },
  );
  return { first, second };
}

const later = () => new Promise<void>((resolve) => setTimeout(resolve, 20));

/** Opens nothing until it is told to, and takes notes. */
function slowEngine(result: (name: string) => Promise<void>) {
  const notes: string[] = [];
  const engine = createCompiledEngine({
    name: "onnx",
    device: "cpu",
    threads: 1,
    precision: "f32",
    description: "slow",
    async open({ name, outputs, values }) {
      notes.push(`opens ${name}`);
      await result(name);
      notes.push(`has opened ${name}`);
      return {
        run: () => {
          notes.push(`runs ${name}`);
          return Promise.resolve(
            outputs.map((id) => {
              const { shape } = values[id]!;
              return { shape, data: new Float32Array(shape[0]!) };
            }),
          );
        },
        release: () => Promise.resolve(),
      };
    },
    close: () => {},
  });
  return { engine, notes };
}

for (const engine of [onnx, eager]) {
  Deno.test(`stepRunner() gives what the step gives, on ${engine.name}`, async () => {
    const { first, second } = graphsOf(engine);
    const run = stepRunner(engine);
    let taken = 0;
    const step = async (compute: Compute) => {
      taken++;
      return await compute(second, await compute(first, { x }));
    };
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await run("square", step), {
        shape: [2, 1],
        data: Float32Array.of(4, 7),
      });
    }
    assert.equal(taken, engine === eager ? 2 : 3);
  });

  Deno.test(`an outline has the form of what is computed, on ${engine.name}`, async () => {
    const { first } = graphsOf(engine);
    const outline = first.outline({ x });
    assert.deepEqual(outline, {
      squares: { shape: [2], data: new Float32Array(2) },
      sums: [{ shape: [1], data: new Float32Array(1) }],
    });
    const made = await first({ x });
    assert.deepEqual([total(made.squares), total(made.sums[0]!)], [5, 3]);
  });
}

Deno.test("the graphs of a new kind of step are opened side by side, before any of them runs", async () => {
  const waits = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { engine, notes } = slowEngine((name) => waits[name === "first" ? 0 : 1]!.promise);
  const { first, second } = graphsOf(engine);
  const run = stepRunner(engine);
  const step = async (compute: Compute) => await compute(second, await compute(first, { x }));
  const made = run("square", step);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(notes, ["opens first", "opens second"]);
  waits[1]!.resolve();
  await new Promise((resolve) => setTimeout(resolve));
  waits[0]!.resolve();
  await made;
  await run("square", step);
  const runs = ["runs first", "runs second"];
  assert.deepEqual(notes.slice(2), ["has opened second", "has opened first", ...runs, ...runs]);
  await run("another", step);
  assert.deepEqual(notes.slice(8), runs);
  await engine.dispose();
});

Deno.test("a graph that cannot be opened stops the step with its own error", async () => {
  const { engine, notes } = slowEngine((name) =>
    name === "second" ? Promise.reject(new Error("Cannot open it")) : later()
  );
  const { first, second } = graphsOf(engine);
  const run = stepRunner(engine);
  await assert.rejects(
    run("square", async (compute) => await compute(second, await compute(first, { x }))),
    { message: "Cannot open it" },
  );
  assert.deepEqual(notes, ["opens first", "opens second", "has opened first"]);
  await engine.dispose();
});

Deno.test("a graph that fails early is told when the step has come to its end", async () => {
  const { engine, notes } = slowEngine((name) =>
    name === "first" ? Promise.reject(new Error("Cannot open it")) : Promise.resolve()
  );
  const { first, second } = graphsOf(engine);
  const step = async (compute: Compute) => {
    const made = await compute(first, { x });
    await later();
    return await compute(second, made);
  };
  await assert.rejects(stepRunner(engine)("square", step), { message: "Cannot open it" });
  assert.deepEqual(notes, ["opens first", "opens second", "has opened second"]);
  await engine.dispose();
});

Deno.test("a graph that cannot be traced stops the step when the others are open", async () => {
  const { engine, notes } = slowEngine(later);
  const { first } = graphsOf(engine);
  const reads = engine.compile(({ squares }: { squares: tf.Tensor }) => {
    squares.dataSync();
    return squares;
  }, { name: "reads" });
  const run = stepRunner(engine);
  await assert.rejects(
    run("square", async (compute) => await compute(reads, await compute(first, { x }))),
    {
      message:
        'Cannot trace "reads": expected no value to be read but the function reads an input; compute with tensors only, or read outside of the compiled function',
    },
  );
  assert.deepEqual(notes, ["opens first", "has opened first"]);
  await engine.dispose();
});
